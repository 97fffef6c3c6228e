"""The stores as plain dictionaries: for tests, and as the plainest statement of what the ports promise."""
