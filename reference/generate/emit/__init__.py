"""Printers, one file for each target."""
