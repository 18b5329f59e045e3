"""The catalogue: one file per algorithm, data only."""
