"""Kernels for the CPU: built by the system's compiler on first use, kept, and called."""
