"""The contract's error tree. Every message is one sentence for a person."""


class ContractError(ValueError):
    """Something that crosses the wire is not what the contract says."""


class RequestError(ContractError):
    """The request cannot be carried out. Nothing was started."""


class RecipeError(RequestError):
    """A recipe field has a name or a value that is not allowed."""


class LocationError(RequestError):
    """A source or an output is not a usable `s3://` or `file://` address."""


class DocumentError(ContractError):
    """A run document has a version or shape that this code cannot read."""
