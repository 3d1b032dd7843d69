"""The recipe: what is done to an image. One document, validated here and nowhere else.

It is longer than other modules, so that all fields can be seen side by side. The execution input,
the command line and a recipe file all have the same fields. The names of the
resize modes and of `resize_only_if_bigger` are those of img2dataset.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields, replace

from imagemill_contract.errors import RecipeError
from imagemill_contract.fields import (
    ByteCount,
    Colour,
    Name,
    OneOf,
    Rule,
    Shares,
    TrueOrFalse,
    WholeNumber,
    read_fields,
)
from imagemill_contract.recipe_parts.choices import (
    Anchor,
    EdgeMethod,
    ImageFormat,
    Interpolation,
    ModelOutput,
    Output,
    ResizeMode,
    SplitBy,
)
from imagemill_contract.recipe_parts.columns import ColumnName, Columns, ColumnType
from imagemill_contract.recipe_parts.given import NamedKinds, given_columns, size_columns
from imagemill_contract.recipe_parts.labels import LabelList, Labels
from imagemill_contract.recipe_parts.model_rules import Digest, Expression, ModelAddress
from imagemill_contract.recipe_parts.numbers import Number
from imagemill_contract.recipe_parts.preprocessing import PlainValue, PreprocessingFields
from imagemill_contract.recipe_parts.sizes import SIDE, SizeList, Sizes
from imagemill_contract.recipe_parts.together import check_together, json_value
from imagemill_contract.stages import MoreStages

__all__ = [
    "Anchor",
    "EdgeMethod",
    "ImageFormat",
    "Interpolation",
    "ModelOutput",
    "Output",
    "Recipe",
    "ResizeMode",
    "SplitBy",
]


def _rule(rule: Rule, text: str) -> dict[str, object]:
    return {"rule": rule, "text": text}


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is done to every image of a run. Immutable; equal recipes have equal hashes."""

    size: int = field(
        default=128,
        metadata=_rule(SIDE, "Side of the result in pixels; `mode` says which"),
    )
    sizes: Sizes = field(
        default=Sizes(),
        metadata=_rule(SizeList(), "Several sizes of each picture, in place of `size`"),
    )
    mode: ResizeMode = field(
        default=ResizeMode.CENTER_CROP,
        metadata=_rule(OneOf(ResizeMode), "How a picture is brought to `size`"),
    )
    format: ImageFormat = field(
        default=ImageFormat.JPG, metadata=_rule(OneOf(ImageFormat), "Encoding of resized pictures")
    )
    quality: int = field(
        default=95, metadata=_rule(WholeNumber(1, 100), "Encoder quality of jpg, webp and avif")
    )
    resize_only_if_bigger: bool = field(
        default=False, metadata=_rule(TrueOrFalse(), "Never enlarge a picture")
    )
    interpolation: Interpolation = field(
        default=Interpolation.AUTO,
        metadata=_rule(OneOf(Interpolation), "How pixels of the result are made"),
    )
    anchor: Anchor = field(
        default=Anchor.CENTER, metadata=_rule(OneOf(Anchor), "Which square `center_crop` keeps")
    )
    background: str = field(
        default="#ffffff",
        metadata=_rule(Colour(), "Colour below transparent pixels and of the border"),
    )
    keep_grey: bool = field(
        default=False, metadata=_rule(TrueOrFalse(), "Write grey pictures with one channel")
    )
    to_srgb: bool = field(
        default=True, metadata=_rule(TrueOrFalse(), "Convert other colour profiles to sRGB")
    )
    max_pixels: int = field(
        default=250_000_000,
        metadata=_rule(WholeNumber(1, 2_000_000_000), "Reject pictures with more pixels"),
    )
    edge: EdgeMethod = field(
        default=EdgeMethod.CANNY, metadata=_rule(OneOf(EdgeMethod), "How edges are found")
    )
    canny_low: int = field(
        default=0,
        metadata=_rule(WholeNumber(0, 2040), "Gradient below which there is no edge; 0 for auto"),
    )
    canny_high: int = field(
        default=0,
        metadata=_rule(WholeNumber(0, 2040), "Gradient above which there is an edge; 0 for auto"),
    )
    blur: float = field(
        default=1.0,
        metadata=_rule(Number(0, 16), "Blur before canny, as a standard deviation in pixels"),
    )
    line_art_contrast: bool = field(
        default=False, metadata=_rule(TrueOrFalse(), "Black lines and no speckle in line art")
    )
    edge_three_channels: bool = field(
        default=False, metadata=_rule(TrueOrFalse(), "Write edge maps with three channels")
    )
    model: str = field(
        default="",
        metadata=_rule(ModelAddress(), "ONNX file of a neural network that sees each picture"),
    )
    model_output: ModelOutput = field(
        default=ModelOutput.VECTOR,
        metadata=_rule(OneOf(ModelOutput), "What the model gives for a picture"),
    )
    model_preprocessing: tuple[tuple[str, PlainValue], ...] = field(
        default=(),
        metadata=_rule(PreprocessingFields(), "How pictures become its input, if it does not say"),
    )
    keep_if: str = field(
        default="",
        metadata=_rule(Expression(), "Which pictures are kept, by what a model for scores gives"),
    )
    model_labels: Labels = field(
        default=Labels(),
        metadata=_rule(LabelList(), "Names of the scores; the plan takes those of the model"),
    )
    model_sha256: str = field(
        default="", metadata=_rule(Digest(), "SHA-256 of the model; another one is refused")
    )
    more_stages: frozenset[str] = field(
        default=frozenset(),
        metadata=_rule(MoreStages(), "Further stages, each with a file for each picture"),
    )
    output: Output = field(
        default=Output.FILES,
        metadata=_rule(OneOf(Output), "One file per picture and stage, or dataset shards"),
    )
    dataset_name: str = field(
        default="images", metadata=_rule(Name(), "First part of the names of dataset shards")
    )
    shard_bytes: int = field(
        default=256_000_000,
        metadata=_rule(ByteCount(100_000, 4_000_000_000), "Largest size of a dataset shard"),
    )
    split: tuple[tuple[str, float], ...] = field(
        default=(("train", 1.0),), metadata=_rule(Shares(), "Share of the samples in each split")
    )
    split_by: SplitBy = field(
        default=SplitBy.PICTURE, metadata=_rule(OneOf(SplitBy), "What stays together in one split")
    )
    split_column: str = field(
        default="", metadata=_rule(ColumnName(), "Column that names a split or a group")
    )
    stratify: bool = field(
        default=False, metadata=_rule(TrueOrFalse(), "Give each class its share of each split")
    )
    shuffle: bool = field(
        default=False, metadata=_rule(TrueOrFalse(), "Shuffle all samples of a run, across shards")
    )
    seed: int = field(default=0, metadata=_rule(WholeNumber(0, 2**63 - 1), "Seed of `shuffle`"))
    label_from_folder: bool = field(
        default=False, metadata=_rule(TrueOrFalse(), "Take the first folder as the class")
    )
    drop_duplicates: bool = field(
        default=False,
        metadata=_rule(TrueOrFalse(), "Leave out pictures with the same bytes as another"),
    )
    columns: tuple[tuple[str, ColumnType], ...] = field(
        default=(),
        metadata=_rule(Columns(), "What of manifest or side-car files goes with a picture"),
    )

    @classmethod
    def from_document(cls, document: object, where: str = "recipe") -> Recipe:
        """The recipe in `document`; fields that it leaves out have their default.

        Raises RecipeError with one sentence that names the field, its value and what is allowed.
        """
        values = cls.values_in(document, where)
        recipe = cls(**values)  # type: ignore[arg-type] # every value was read by its own rule
        check_together(recipe, where)
        return recipe

    @classmethod
    def values_in(cls, document: object, where: str) -> dict[str, object]:
        """The fields in `document`, each read by its own rule, but not yet checked together.

        Raises RecipeError.
        """
        rules = {item.name: item.metadata["rule"] for item in fields(cls)}
        return read_fields(document, rules, where, RecipeError)

    def to_document(self) -> dict[str, object]:
        """All fields, as JSON values."""
        return {name: json_value(value) for name, value in asdict(self).items()}

    def in_sizes(self) -> tuple[Recipe, ...]:
        """The same recipe for each of its sizes alone, the largest first; itself with one size."""
        if not self.sizes:
            return (self,)
        return tuple(replace(self, size=it, sizes=Sizes((it,))) for it in reversed(self.sizes))

    @property
    def is_packed(self) -> bool:
        """Whether results go into dataset shards."""
        return self.output is not Output.FILES

    @property
    def sample_columns(self) -> NamedKinds:
        """The columns of a sample: those that are named, what a model gives, and smaller sizes."""
        given = given_columns(self.model, self.model_output)
        return (*self.columns, *given, *size_columns(self.sizes))

    @property
    def has_metadata(self) -> bool:
        """Whether columns go into a file beside pictures that are files."""
        return bool(self.columns) and not self.is_packed

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that change with any field."""
        text = json.dumps(self.to_document(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
