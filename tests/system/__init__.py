"""All parts together, as real processes."""
