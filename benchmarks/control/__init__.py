"""What control promises, measured: `python -m benchmarks.control --json`. Exit code 1 when a target is missed."""
