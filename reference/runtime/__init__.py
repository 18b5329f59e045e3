"""What all generated optimizers share, written by hand once: groups, state, validation, steps."""
