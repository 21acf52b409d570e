"""What the house costs, measured: `python -m benchmarks.house`. Prints figures beside their floors, asserts no time."""
