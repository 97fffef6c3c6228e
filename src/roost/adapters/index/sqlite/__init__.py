"""Search in one SQLite file: tweets by FTS5, users by ordered keys, trends by counters."""
