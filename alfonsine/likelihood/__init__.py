"""How probable the data are: Gaussian, Wishart and log-normal forms, and the data sets that use them."""
