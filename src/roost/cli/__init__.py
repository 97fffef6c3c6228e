"""The `roost` command, a file a subcommand."""
