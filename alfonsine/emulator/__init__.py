"""Training set in, fast and differentiable observables out."""
