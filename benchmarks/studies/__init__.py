"""Experiments on quality: `python -m benchmarks.studies.NAME`; docs/results.md says what came out."""
