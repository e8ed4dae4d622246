"""Speed, memory and full size: `python -m benchmarks.NAME`; experiments on quality are in `studies/`."""
