"""What coordination promises, measured: `python -m benchmarks.coordination --json`. Exit code 1 when one is missed."""
