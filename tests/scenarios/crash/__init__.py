"""Kill a loaded roost at any moment, and compare what it comes back with to what it had acknowledged."""
