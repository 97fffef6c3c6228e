"""The reference: who sees what, computed from plain facts in the most obvious way, by the words of the interface."""
