"""The stages of a recipe, each of which has jobs of its own: one entry for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Self

from imagemill_contract.outcomes import Reason
from imagemill_contract.recipe_parts.choices import EdgeMethod, ModelOutput

if TYPE_CHECKING:
    from imagemill_contract.recipe import Recipe

MORE_STAGES = "more_stages"  # the field of a recipe that names those that are done on request
_MODEL_EXTENSIONS = {
    ModelOutput.VECTOR: ".npy",
    ModelOutput.SCORES: ".json",
    ModelOutput.IMAGE: ".png",
}


@dataclass(frozen=True, slots=True)
class _Entry:
    """What everybody knows of a stage; what it does is known to the worker alone.

    Attributes:
        name: In documents and keys, and of the worker's command.
        results: What people call what it writes.
        folder: Where that lies below the output.
        extension: Of a result's key, with its dot.
        is_in: Whether a recipe has it, by the recipe's document.
        missing: Why a later stage leaves out an object for which it has written nothing.
        on_request: Whether `more_stages` must name it.
        in_sizes: Whether it has a result for each of several sizes, and not for the largest alone.
    """

    name: str
    results: str
    folder: str
    extension: Callable[[Recipe], str]
    is_in: Callable[[Mapping[str, object]], bool] = lambda _: True
    missing: Reason = Reason.NO_EARLIER_RESULT
    on_request: bool = False
    in_sizes: bool = False


def _on_request(name: str, *, results: str, extension: str) -> _Entry:
    """A stage of the recipes that name it; each result is one file, with that extension."""
    return _Entry(
        name,
        results,
        folder=f"stages/{name}/",
        extension=lambda _: extension,
        is_in=lambda recipe: name in _names(recipe.get(MORE_STAGES)),
        on_request=True,
    )


def _names(value: object) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, list | tuple | frozenset) else ()


class Stage(StrEnum):
    """All stages, in the order of their jobs."""

    results: str
    folder: str
    missing: Reason
    entry: _Entry

    def __new__(cls, entry: _Entry | str) -> Self:
        assert isinstance(entry, _Entry)  # noqa: S101 # names of stages do not come here
        member = str.__new__(cls, entry.name)
        member._value_ = entry.name
        member.entry = entry
        member.results, member.folder, member.missing = entry.results, entry.folder, entry.missing
        return member

    RESIZE = _Entry(
        "resize",
        results="resized pictures",
        folder="resized/",
        extension=lambda recipe: f".{recipe.format}",
        missing=Reason.NO_RESIZED_IMAGE,
        in_sizes=True,
    )
    MODEL = _Entry(
        "model",
        results="outputs of the model",
        folder="model_output/",
        extension=lambda recipe: _MODEL_EXTENSIONS[recipe.model_output],
        is_in=lambda recipe: bool(recipe.get("model")),
        missing=Reason.NO_MODEL_OUTPUT,
    )
    EDGE = _Entry(
        "edge",
        results="edge maps",
        folder="edges/",
        extension=lambda _: ".png",
        is_in=lambda recipe: recipe.get("edge") != EdgeMethod.NONE,
        in_sizes=True,
    )
    SHARPNESS = _on_request("sharpness", results="measures of sharpness", extension=".json")


@lru_cache(maxsize=256)
def stages_of(recipe: Recipe) -> tuple[Stage, ...]:
    """The stages of a run with that recipe, in the order of their jobs.

    Whoever asks what a run does asks here, and not the enumeration.
    """
    return stages_in({name: getattr(recipe, name) for name in ("model", "edge", MORE_STAGES)})


def stages_in(recipe: Mapping[str, object]) -> tuple[Stage, ...]:
    """The same of a recipe's document, also of one that another release has written."""
    return tuple(stage for stage in Stage if stage.entry.is_in(recipe))


def stages_before(stage: Stage, recipe: Recipe) -> tuple[Stage, ...]:
    """The stages whose jobs have ended when that one's begins."""
    stages = stages_of(recipe)
    return stages[: stages.index(stage)]


class MoreStages:
    """Names of stages that are done on request, as a set."""

    @property
    def allowed(self) -> str:
        return f"a list of some of {', '.join(stage for stage in Stage if stage.entry.on_request)}"

    def read(self, value: object) -> frozenset[str]:
        if not isinstance(value, list | tuple | set | frozenset):
            raise ValueError(value)
        wanted = [Stage(name) for name in value]  # raises ValueError for another name
        if len(set(wanted)) != len(wanted) or not all(stage.entry.on_request for stage in wanted):
            raise ValueError(value)
        return frozenset(map(str, wanted))
