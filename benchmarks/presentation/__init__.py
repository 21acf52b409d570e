"""What presentation promises, measured: `python -m benchmarks.presentation --json`. Exit code 1 when a target is missed."""
