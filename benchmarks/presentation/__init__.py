"""What presentation promises, measured: `python -m benchmarks.presentation --json`. Exit code 1 when one is missed."""
