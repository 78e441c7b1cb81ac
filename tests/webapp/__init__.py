"""The web process, on a real Redis and a real database."""
