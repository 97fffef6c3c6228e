"""The stores as tables of one SQLite file."""
