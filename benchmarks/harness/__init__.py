"""What the benchmarks share: servers, data to serve, load, and the file of results."""
