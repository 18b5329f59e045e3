"""Test vectors for other languages: inputs, expected values and bounds as JSON with hex floats."""
