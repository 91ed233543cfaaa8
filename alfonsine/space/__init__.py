"""What varies: names, ranges, priors."""
