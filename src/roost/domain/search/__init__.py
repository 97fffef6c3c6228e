"""Search as plain values: how text becomes words, the query grammar, and what each term means."""
