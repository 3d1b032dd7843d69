"""Checks a request before anything else is read, and what its run would cost."""

from __future__ import annotations

import json
from dataclasses import replace
from json import JSONDecodeError

from imagemill_app.refusal import RunRefused
from imagemill_app.settings import PlanRunSettings
from imagemill_contract import keys
from imagemill_contract.errors import ContractError
from imagemill_contract.locations import Location
from imagemill_contract.recipe import Recipe
from imagemill_contract.requests.request import RunRequest, check_model

NO_WORKER_IMAGE = (
    'The stack has no worker image yet. Run "make worker-image", which builds it, pushes it and '
    "tells the stack; then start the run again."
)
NO_MODEL_IMAGE = (
    'The stack has no image for models. Run "make model-image", which builds it, pushes it and '
    "tells the stack; then start the run again."
)


def request_of(document: object, settings: PlanRunSettings) -> RunRequest:
    """The request in an execution's input. Raises RunRefused.

    A run of uploads has the stack's own recipe, because its input depends on the window alone.
    """
    try:
        request = RunRequest.from_document(document, allow_files=settings.allow_file_uris)
        if not request.dry_run and not settings.worker_image_uri:
            raise RunRefused(NO_WORKER_IMAGE)
        if request.window is not None:
            recipe = Recipe.from_document(json.loads(settings.upload_recipe), "UploadRecipe")
            check_model(recipe, allow_files=settings.allow_file_uris)
            request = replace(request, recipe=recipe)
        if request.recipe.model and not (request.dry_run or settings.model_image_uri):
            raise RunRefused(NO_MODEL_IMAGE)
        return request
    except ContractError as error:
        raise RunRefused(str(error)) from None
    except JSONDecodeError:
        raise RunRefused(f"UploadRecipe: {settings.upload_recipe!r} is not JSON.") from None


def checked_run_id(run_id: str) -> str:
    """The `run_id` itself. Raises RunRefused if it cannot be the name of a folder."""
    try:
        return keys.check_run_id(run_id)
    except ContractError as error:
        raise RunRefused(str(error)) from None


def _plainly(dollars: float) -> str:
    """Without an exponent, which is no price."""
    return f"{dollars:.10f}".rstrip("0").rstrip(".")


def checked_output(request: RunRequest, bucket: Location) -> Location:
    """Where results go. Jobs may only write to the stack's own bucket, or to a folder.

    Raises RunRefused for any other place, and if output and source contain each other.
    """
    output = request.output or bucket
    if not output.is_file and output != bucket:
        raise RunRefused(f'output: "{output}" is not allowed; it must be "{bucket}".')
    source = request.source
    if source is not None and (source.contains(output) or output.contains(source)):
        raise RunRefused(
            f'output: "{output}" and the source "{source}" must not contain each other: '
            "results would become sources."
        )
    return output


def check_cost(estimated_dollars: float, asked: float | None, most_of_stack: float) -> None:
    """Raises RunRefused with the numbers.

    Args:
        estimated_dollars: Of the plan.
        asked: The request's own limit, or None.
        most_of_stack: The limit of the stack, which no request can raise; 0 for none.
    """
    limits = {"max_cost of the request": asked, "MaxRunDollars of the stack": most_of_stack}
    for name, dollars in limits.items():
        if dollars and estimated_dollars > dollars:
            raise RunRefused(
                f"max_cost: the run is estimated to cost {estimated_dollars:.4f} USD, which is "
                f"above {_plainly(dollars)} USD, the {name}."
            )
