"""The one error whose message the state machine passes on to a person."""


class RunRefused(Exception):  # the state machine catches it by this name
    """The requested run cannot be carried out. The message is one clear sentence."""
