"""Traces: what an optimizer did, written where it ran and judged elsewhere."""
