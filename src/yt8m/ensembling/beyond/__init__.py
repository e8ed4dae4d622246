"""Schemes beyond the paper: drawn to common weights, exact and non-negative, and chosen for GAP itself."""
