"""Learning-rate schedules: one file each, data only."""
