"""What released libraries get wrong: one stand-alone script per finding.

Each needs only the library it speaks of, states package, version, the check that found it and where
it is reported, and fails with an AssertionError as long as the defect is there.
"""
