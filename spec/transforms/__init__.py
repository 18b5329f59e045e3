"""Wrappers and transforms of the gradient: each takes another algorithm into its slot."""
