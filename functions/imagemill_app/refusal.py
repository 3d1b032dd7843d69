"""The one error that a state machine shows to a person as it is."""


class RunRefused(Exception):  # the state machine catches it by this name
    """A run that cannot be carried out as asked. Its message is one clear sentence."""
