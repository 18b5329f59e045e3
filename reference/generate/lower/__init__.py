"""Passes from the authored equations to what a target prints; one file each."""
