"""How far the emulated posterior can be from the exact one: numbers with errors, limits, a named outcome."""
