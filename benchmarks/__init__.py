"""Programs that measure, one per question. Each prints a table; run one with `python -m benchmarks.NAME`."""
