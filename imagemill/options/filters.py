"""Options that several commands share, and what they become in a run request."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

import typer

from imagemill.errors import UsageError
from imagemill.options.recipe import described
from imagemill_contract.locations import Location


def recipe_option(name: str) -> Any:
    """The option of a recipe field; the contract says what it may hold, and judges it."""
    flag = "--" + name.replace("_", "-")
    return typer.Option(flag, metavar="VALUE", help=described(name))


RecipeFile = Annotated[
    Path | None,
    typer.Option("--recipe", metavar="FILE", help="Recipe file, JSON or TOML; options win over it"),
]
Size = Annotated[str | None, recipe_option("size")]
Mode = Annotated[str | None, recipe_option("mode")]
Format = Annotated[str | None, recipe_option("format")]
Quality = Annotated[str | None, recipe_option("quality")]
OnlyIfBigger = Annotated[str | None, recipe_option("resize_only_if_bigger")]
AnchorOption = Annotated[str | None, recipe_option("anchor")]
Edge = Annotated[str | None, recipe_option("edge")]
OutputForm = Annotated[str | None, recipe_option("output")]
DatasetName = Annotated[str | None, recipe_option("dataset_name")]
ShardBytes = Annotated[str | None, recipe_option("shard_bytes")]
Split = Annotated[str | None, recipe_option("split")]
Shuffle = Annotated[str | None, recipe_option("shuffle")]
Seed = Annotated[str | None, recipe_option("seed")]
LabelFromFolder = Annotated[str | None, recipe_option("label_from_folder")]

Vcpus = Annotated[
    int | None, typer.Option(min=1, help="vCPUs that jobs may use (default: this machine's)")
]
Manifest = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Take the keys in this file (JSON lines, CSV), not all"),
]
Exclude = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Leave out the names, keys or stems in this file's lines"),
]
Include = Annotated[
    list[str] | None, typer.Option(metavar="GLOB", help="Take only keys that match; repeatable")
]
ExcludeGlob = Annotated[
    list[str] | None, typer.Option(metavar="GLOB", help="Leave out keys that match; repeatable")
]
MinBytes = Annotated[int | None, typer.Option(metavar="N", help="Leave out smaller files")]
MaxBytes = Annotated[int | None, typer.Option(metavar="N", help="Leave out larger files")]
Limit = Annotated[int | None, typer.Option(metavar="N", help="Take the first N only, for a trial")]
Full = Annotated[bool, typer.Option("--full", help="Do also what an earlier run has done")]
Prune = Annotated[bool, typer.Option("--prune", help="Remove the results of deleted pictures")]


_RECIPE_FIELDS = (
    *("size", "mode", "format", "quality"),
    *("resize_only_if_bigger", "anchor", "edge"),
    *("output", "dataset_name", "shard_bytes", "split", "shuffle", "seed", "label_from_folder"),
)


def recipe_fields(*values: str | None) -> dict[str, str | None]:
    """The options of the recipe, in the order in which commands have them, by field."""
    return dict(zip(_RECIPE_FIELDS, values, strict=True))


@dataclass(frozen=True, slots=True)
class Filters:
    """What is taken of a source, as it was typed."""

    manifest: str | None = None
    exclude: str | None = None
    include: list[str] | None = None
    exclude_glob: list[str] | None = None
    min_bytes: int | None = None
    max_bytes: int | None = None
    limit: int | None = None
    full: bool = False

    def to_fields(self, *, of_bucket: bool = False) -> dict[str, object]:
        """The fields of a run request, whose source may be in a bucket.

        Such a run cannot read files of this machine: names to exclude travel in the request.
        Raises UsageError for a file that cannot be read.
        """
        travels = of_bucket and self.exclude is not None and not self.exclude.startswith("s3://")
        values = {
            "manifest": self.manifest and _address_of(self.manifest, "--manifest"),
            "exclude": self.exclude
            and (_lines_of(self.exclude) if travels else _address_of(self.exclude, "--exclude")),
            "include_globs": self.include,
            "exclude_globs": self.exclude_glob,
            "min_bytes": self.min_bytes,
            "max_bytes": self.max_bytes,
            "limit": self.limit,
            "full": self.full or None,
        }
        return {name: value for name, value in values.items() if value not in (None, [])}


def _address_of(text: str, name: str) -> str:
    """An `s3://` address as it is, a file by its own."""
    if text.startswith("s3://"):
        return text
    path = Path(text)
    if not path.is_file():
        raise UsageError(f'{name}: "{text}" is not a file.')
    folder = Location.of_folder(PurePosixPath(path.resolve().parent))
    return folder.address_of(path.name)


def _lines_of(path: str) -> list[str]:
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f'--exclude: "{path}" cannot be read: {error}.') from None
    return [line.strip() for line in lines if line.strip()]
