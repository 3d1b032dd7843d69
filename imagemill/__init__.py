"""The tool: the command line, and the stack on this machine. Never deployed."""

__version__ = "0.1.0"
