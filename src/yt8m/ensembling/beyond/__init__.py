"""Schemes beyond the paper: exact and non-negative solutions, and weights chosen for GAP itself."""
