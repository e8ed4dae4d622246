"""Measurements of the models at sizes that no test runs; docs/benchmarks.md says how to read them."""
