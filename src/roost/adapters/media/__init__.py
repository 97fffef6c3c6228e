"""Adapters of the media port: what decodes and re-encodes."""
