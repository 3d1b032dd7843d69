"""Reads the model of a recipe, checks it as far as that is possible without running it."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from obstore.exceptions import BaseError

from imagemill_app.refusal import RunRefused
from imagemill_app.stores import store_of
from imagemill_contract.errors import ContractError
from imagemill_contract.locations import split_object_address
from imagemill_contract.network.use import use_of
from imagemill_contract.recipe import ModelOutput, Recipe

# A copy of it is parsed: of 480 MB that took 940 MiB and 2 seconds, beside 215 MiB of planning.
MAX_MODEL_BYTES = 500_000_000


def with_digest(recipe: Recipe) -> Recipe:
    """The recipe with the SHA-256 of its model, if it has one, and the names of its scores.

    Raises RunRefused with one sentence if the model cannot be read, is no ONNX file, does not fit
    the recipe, or is another one than the recipe says.
    """
    if not recipe.model:
        return recipe
    body = _body(recipe.model)
    digest = hashlib.sha256(body).hexdigest()
    if recipe.model_sha256 not in ("", digest):
        raise RunRefused(
            f"recipe.model_sha256: the model at {recipe.model} has {digest}, so it is another one."
        )
    # only of a run with a model
    from imagemill_app.plan.network.keeping import check_keeping
    from imagemill_app.plan.network.onnx_head import described

    try:
        found = described(body)
        declared = dict(recipe.model_preprocessing)
        use = use_of(found, recipe.model_output, declared, recipe.model_labels)
        if recipe.model_output is ModelOutput.SCORES:
            check_keeping(recipe.keep_if, found.outputs[use.output].axes, use.labels)
    except ContractError as error:
        raise RunRefused(str(error)) from None
    if recipe.model_output is ModelOutput.SCORES:
        recipe = replace(recipe, model_labels=use.labels)
    return replace(recipe, model_sha256=digest)


def _body(address: str) -> bytes:
    """Raises RunRefused if there is none, or it is too long."""
    try:
        location, key = split_object_address(address, "recipe.model")
        store = store_of(location.root)
        length = store.head(key)["size"]
        if length > MAX_MODEL_BYTES:
            raise RunRefused(
                f"recipe.model: it has {length:,} bytes; at most {MAX_MODEL_BYTES:,} are allowed."
            )
        return store.get(key).bytes().to_bytes()
    except FileNotFoundError:
        raise RunRefused(f"recipe.model: there is no {address}.") from None
    except PermissionError:
        raise RunRefused(
            f"recipe.model: {address} must not be read; it must be in the stack's input bucket."
        ) from None
    except (ContractError, BaseError) as error:
        raise RunRefused(f"recipe.model: {address} cannot be read: {error}.") from None
