"""Chebyshev series all over a box: ours, for many models."""
