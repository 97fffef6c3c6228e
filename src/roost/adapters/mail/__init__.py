"""Adapters of the mail port."""
