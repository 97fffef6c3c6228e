"""Media decoded in a child process per file, with limits: what breaks a decoder breaks a child."""
