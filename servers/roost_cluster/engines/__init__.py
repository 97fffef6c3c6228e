"""A file a server: what it needs from the package registries, and how one node of it is started."""
