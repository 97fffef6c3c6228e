"""One file a view kept up to date from the log. A reaction is safe to repeat and to run late."""
