"""Where to compute next."""
