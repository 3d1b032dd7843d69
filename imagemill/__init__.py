"""The tool: the command line, and the stack on this machine. Never deployed."""
