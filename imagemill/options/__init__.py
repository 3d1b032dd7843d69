"""The options of the command line, each defined once for all commands that have it."""
