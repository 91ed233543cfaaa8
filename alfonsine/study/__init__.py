"""The order of events: settings, the loop, resuming."""
