"""What stands in benchmarks/ besides programs."""
