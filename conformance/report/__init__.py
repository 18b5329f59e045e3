"""The report: its model, and its renderings for terminal and machine."""
