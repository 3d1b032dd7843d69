"""The tool: the command line, and the stack on this machine. Never deployed."""

from imagemill_contract import VERSION

__version__ = VERSION
