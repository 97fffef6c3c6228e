"""The native REST interface."""
