"""Real servers on this machine, for a cluster and for tests: started, watched and ended by process id, on loopback."""
