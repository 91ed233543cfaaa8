"""Outputs of one evaluation, in the words of the programs that ask for them."""
