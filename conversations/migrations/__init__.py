"""Every change of the tables, oldest first, in versions/. Run by conversations/migrate.py."""
