"""Adapters of the clock, id and randomness ports."""
