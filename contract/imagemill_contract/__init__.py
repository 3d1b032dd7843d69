"""The wire contract: what Lambda handlers, Batch jobs, state machine and tool say to each other.

Standard library only, so that every room can import it.
"""

VERSION = "0.1.0"
