"""MontePython: a module with the interface of CLASS's `classy`, which it loads through its own configuration."""
