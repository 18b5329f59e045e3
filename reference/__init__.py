"""Optimizers generated from the specification, and their generator."""
