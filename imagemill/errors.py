"""The tool's errors: each is one sentence for the person at the terminal."""


class UsageError(Exception):
    """The command cannot be carried out. Nothing was started. Exit code 2."""


class RunFailedError(Exception):
    """A run was started and did not succeed. Exit code 1."""
