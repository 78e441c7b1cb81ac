"""What the web process says of itself: health, figures, lines, spans. What is counted is in metrics.py."""
