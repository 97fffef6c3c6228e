"""One file a thing a user can do: check, store with its announcement, answer."""
