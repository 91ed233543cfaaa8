"""From a log density to samples: coordinates, optimum, samplers, convergence, evidence, chain formats."""
