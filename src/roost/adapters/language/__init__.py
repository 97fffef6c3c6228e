"""Telling the language of a message: a file a technology."""
