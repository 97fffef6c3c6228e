"""Adapters of the cache ports."""
