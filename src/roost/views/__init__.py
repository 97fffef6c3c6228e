"""State derived from the stores and the log, read through caches: what commands, queries and reactions look at."""
