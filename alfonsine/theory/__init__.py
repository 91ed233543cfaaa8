"""The exact codes: many points at once in killable workers, everything computed kept in an archive."""
