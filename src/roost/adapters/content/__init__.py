"""Adapters of the content port: where the bytes lie."""
