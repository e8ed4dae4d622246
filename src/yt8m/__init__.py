"""Reproducible large-scale video classification on frame features."""
