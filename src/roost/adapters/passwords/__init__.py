"""Adapters of the password port."""
