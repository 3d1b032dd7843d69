"""Refuses objects whose results would collide with those of another object."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from imagemill_app.plan.source.slices import ALL_KEYS, KeyRange
from imagemill_contract.documents import SourceObject
from imagemill_contract.keys import (
    Stage,
    ordinary_sources,
    output_extension,
    output_key,
    relative_key,
    stage_folder,
    stages_of,
)
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_contract.output_names import CHANGED_NAME, keeps_its_name
from imagemill_contract.recipe import Recipe

_MOST_EXTENSION_BYTES = 5  # .webp


@dataclass(frozen=True, slots=True)
class Others:
    """The objects of a run that are not in a slice.

    Attributes:
        keys: The range of keys of the slice.
        is_taken: Whether an object outside of it has a key, and is one of the run's.
    """

    keys: KeyRange
    is_taken: Callable[[str], bool]

    def may_have(self, stem: str) -> bool:
        """Whether something in the slice may begin with `stem` while that itself comes before it.

        Every key between `stem` and a key that begins with it begins with it, too.
        """
        return self.keys.after.startswith(stem)


NO_OTHERS = Others(ALL_KEYS, lambda key: False)


@dataclass(frozen=True, slots=True)
class Sifted:
    """Objects that jobs can be given, and why others cannot."""

    kept: list[SourceObject]
    refused: list[Outcome]


def collision_sieve(
    prefix: str, recipe: Recipe, *, in_folder: bool, others: Others = NO_OTHERS
) -> Callable[[Iterable[SourceObject]], Sifted]:
    """What refuses objects whose results would collide with those of others before them.

    It is given all objects of a run in key order, some at a time; or those of a slice, if `others`
    knows all others.

    The output's extension is appended to names that do not have it, so `a` and `a.jpg` both become
    `resized/a.jpg`. In a folder, nothing can lie in `resized/a.jpg/` then, either. The first in key
    order is kept. What collides in one of several sizes does so in all: the largest tells.
    """
    places = _Places(prefix, recipe, in_folder, others)

    def sift(objects: Iterable[SourceObject]) -> Sifted:
        kept: list[SourceObject] = []
        refused: list[Outcome] = []
        for item in objects:
            detail = places.take(item.key)
            if detail:
                refused.append(Outcome(item.key, Status.REJECTED, Reason.KEY_COLLISION, detail))
            else:
                kept.append(item)
        return Sifted(kept, refused)

    return sift


@dataclass(slots=True)
class _Places:
    """Which results have an owner. All keys of results are below the output.

    Only few have to be noted: those of an ordinary name are found by it. And it may be forgotten as
    soon as a key comes that does not begin with it: so does whatever could collide with it, unless
    that gets another name, which has a `%` or a `~` then.
    """

    prefix: str
    recipe: Recipe
    in_folder: bool
    others: Others
    _asked: set[str] = field(default_factory=set)  # source keys outside of the slice
    _ordinary: set[str] = field(default_factory=set)  # source keys
    _begun: list[str] = field(default_factory=list)  # those of them that a next key may begin with
    _changed: dict[str, str] = field(default_factory=dict)  # source keys by the keys of results
    _folders: dict[str, str] = field(default_factory=dict)  # source keys by folders of results
    _stages: tuple[Stage, ...] = ()
    _extensions: tuple[str, ...] = ()
    _like_folders: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._stages = stages_of(self.recipe)
        self._extensions = tuple(output_extension(stage, self.recipe) for stage in self._stages)
        self._like_folders = tuple(extension + "/" for extension in self._extensions)

    def take(self, source_key: str) -> str:
        """Give an object its results, or return one sentence that says why it cannot have them."""
        while self._begun and not source_key.startswith(self._begun[-1]):
            self._ordinary.discard(self._begun.pop())
        if self._is_free_at_a_glance(source_key):
            self._add_ordinary(source_key)
            return ""
        relative = relative_key(source_key, self.prefix)
        results = [(stage, output_key(stage, relative, self.recipe)) for stage in self._stages]
        for stage, key in results:
            if found := self._obstacle(stage, key, source_key):
                return found
        self._note(source_key, relative, results)
        return ""

    def _is_free_at_a_glance(self, source_key: str) -> bool:
        """Nearly all objects are: what is in the way of others has a name that tells."""
        if self._changed or self._folders:
            return False
        relative = source_key[len(self.prefix) :]
        if not keeps_its_name(relative, _MOST_EXTENSION_BYTES):
            return False
        if self.in_folder and any(extension in relative for extension in self._like_folders):
            return False
        stems = [source_key.removesuffix(extension) for extension in self._extensions]
        if self.others.keys.after and any(map(self.others.may_have, stems)):
            return False
        return self._ordinary.isdisjoint(stems)

    def _add_ordinary(self, source_key: str) -> None:
        self._ordinary.add(source_key)
        if CHANGED_NAME.isdisjoint(source_key):
            self._begun.append(source_key)

    def _obstacle(self, stage: Stage, key: str, source_key: str) -> str:
        other = self._owner(stage, key, source_key)
        if other:
            return f"Its result would overwrite that of {other}."
        other = self._folders.get(key) or self._owner_above(stage, key, source_key)
        if other:
            return f"Its result and that of {other} would be a file and a folder with one name."
        return ""

    def _note(self, source_key: str, relative: str, results: list[tuple[Stage, str]]) -> None:
        if all(relative in self._ordinary_sources(stage, key) for stage, key in results):
            self._add_ordinary(source_key)
        else:
            self._changed.update((key, source_key) for _, key in results)
        for stage, key in results if self.in_folder else ():
            for folder in self._folders_like_results(stage, key):
                self._folders.setdefault(folder, source_key)

    def _owner(self, stage: Stage, key: str, before: str) -> str | None:
        """The object that has this result already, and comes before another one."""
        if key in self._changed:
            return self._changed[key]
        owners = (self.prefix + name for name in self._ordinary_sources(stage, key))
        return next((owner for owner in owners if self._is_kept(owner, before)), None)

    def _is_kept(self, source_key: str, before: str) -> bool:
        if source_key in self._ordinary:
            return True
        is_outside = source_key < before and not self.others.keys.has(source_key)
        if not is_outside or source_key in self._asked:
            return False
        self._asked.add(source_key)
        return self.others.is_taken(source_key) and not self.take(source_key)

    def _owner_above(self, stage: Stage, key: str, before: str) -> str | None:
        """The object whose result has the name of a folder that this one would lie in."""
        folders = self._folders_like_results(stage, key) if self.in_folder else ()
        owners = (self._owner(stage, folder, before) for folder in folders)
        return next((owner for owner in owners if owner), None)

    def _folders_like_results(self, stage: Stage, key: str) -> Iterator[str]:
        """The folders that a result lies in, as far as they could be results by their names."""
        extension = output_extension(stage, self.recipe)
        at = len(stage_folder(stage, self.recipe))
        while (at := key.find("/", at) + 1) > 0:
            if key.endswith(extension, 0, at - 1):
                yield key[: at - 1]

    def _ordinary_sources(self, stage: Stage, key: str) -> list[str]:
        return ordinary_sources(stage, key, self.recipe)
