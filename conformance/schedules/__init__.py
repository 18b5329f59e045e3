"""Conformance of learning-rate schedulers: anybody's `LRScheduler` against its specification."""
