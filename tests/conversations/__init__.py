"""History, on SQLite and on a real PostgreSQL: every test that takes `store` runs on both."""
