"""Layer 5: routing."""
