"""Rules and use cases over memory adapters."""
