"""The posterior in the files and records of other programs: chains, covariance matrices, ArviZ, anesthetic."""
