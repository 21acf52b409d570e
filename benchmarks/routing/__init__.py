"""What routing promises, measured: `python -m benchmarks.routing --json`. Exit code 1 when a target is missed."""
