"""Adapters of the port of errands."""
