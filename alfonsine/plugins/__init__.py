"""Host programs: what they may ask of an emulator, in their own words, and what they are told where it lacks that."""
