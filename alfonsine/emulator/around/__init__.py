"""Polynomials around a posterior: few models, placed where they matter."""
