"""Code to paste that loads a dataset: one snippet for each library that knows the format.

Each snippet begins with the dataset's folder and the split, and ends with `dataset`, whose elements
are the samples. It takes the split's shards from the card beside them; Hugging Face `datasets` does
so from the README, which also has the names of the classes.
"""

from __future__ import annotations

from string import Template

from imagemill_contract.recipe import ImageFormat, Output, Recipe
from imagemill_contract.recipe_parts.columns import CAPTION, ColumnType
from imagemill_contract.recipe_parts.given import (
    DRAWING,
    ColumnKind,
    GivenType,
    file_ending,
    given_columns,
    size_columns,
    size_in,
)
from imagemill_dataset.names import EXTENSIONS

_FILES = """\
folder = "dataset"
split = "$split"

import json
from pathlib import Path
$imports
card = json.loads(Path(folder, "dataset.json").read_text(encoding="utf-8"))
files = [
    str(Path(folder, Path(shard["key"]).name))
    for shard in card["shards"]
    if shard["split"] == split and shard["key"].endswith("$extension")
]
"""

_WEBDATASET_IMPORTS = """
import webdataset as wds
"""

_WEBDATASET = """\
dataset = (
    wds.WebDataset(files, shardshuffle=False)
    .decode($pictures)
    .rename(image="$format", edge="edge.png", about="json"$label$caption$given)
$sizes$edges)
"""

# webdataset does not know that extension
_WEBDATASET_AVIF = 'wds.imagehandler("pil", ["avif", "png"])'

_DATASETS = """\
folder = "dataset"
split = "$split"

from datasets import load_dataset

dataset = load_dataset(folder, split=split)$form
"""

_TENSORFLOW_IMPORTS = """
import tensorflow as tf
"""

_TENSORFLOW = """\
features = {
    "image/encoded": tf.io.FixedLenFeature([], tf.string),
    "image/height": tf.io.FixedLenFeature([], tf.int64),
    "image/width": tf.io.FixedLenFeature([], tf.int64),
    "image/filename": tf.io.FixedLenFeature([], tf.string),
    "image/key": tf.io.FixedLenFeature([], tf.string),
    "image/key/sha256": tf.io.FixedLenFeature([], tf.string),
    "edge/encoded": tf.io.FixedLenFeature([], tf.string),
$label$columns}


def sample(record):
    parsed = tf.io.parse_single_example(record, features)
    image = $decoded
    edge = tf.io.decode_png(parsed.pop("edge/encoded"))
$sizes    return {"image": image, "edge": edge, $drawing**parsed}


dataset = tf.data.TFRecordDataset(files).map(sample, num_parallel_calls=tf.data.AUTOTUNE)
"""

_TENSORFLOW_DECODED = Template('tf.io.decode_image(parsed.pop("$name"), expand_animations=False)')
_TENSORFLOW_WEBP_DECODED = Template('tf.io.decode_webp(parsed.pop("$name"))[0]  # of one frame')
_TENSORFLOW_PNG_DECODED = Template('tf.io.decode_png(parsed.pop("$name"))')

_TENSORFLOW_DRAWING = '"model": tf.io.decode_png(parsed.pop("model/encoded")), '

_TENSORFLOW_LABEL = """\
    "image/class/label": tf.io.FixedLenFeature([], tf.int64),
"""

_TENSORFLOW_TYPES = {
    ColumnType.TEXT: ("string", '""'),
    ColumnType.INT: ("int64", "0"),
    ColumnType.FLOAT: ("float32", "0.0"),
    ColumnType.BOOL: ("int64", "0"),
}


def loaders_of(recipe: Recipe, split: str) -> dict[str, str]:
    """Python code by library: `pytorch`, `tensorflow` or `huggingface`, depending on the format.

    Empty if the recipe packs nothing.
    """
    if not recipe.is_packed:
        return {}
    if recipe.output is Output.WEBDATASET:
        return {
            "pytorch": _code(_WEBDATASET_IMPORTS, _WEBDATASET, recipe, split),
            "huggingface": _by_readme(split),
        }
    if recipe.output is Output.TFRECORD:
        return {"tensorflow": _code(_TENSORFLOW_IMPORTS, _TENSORFLOW, recipe, split)}
    return {
        "huggingface": _by_readme(split),
        "pytorch": _by_readme(split, '.with_format("torch")'),
    }


def _webdataset_file(column: tuple[str, ColumnKind], image_format: str) -> str:
    """The file that a column has in a tar, if it has one."""
    name, kind = column
    has_file = kind in (GivenType.VECTOR, GivenType.PICTURE)
    return f', {name}="{file_ending(name, image_format)}"' if has_file else ""


def _webdataset_sizes(recipe: Recipe) -> str:
    """A line that names the files of a smaller size, for each."""
    return "".join(
        f'    .rename({name}="{file_ending(name, recipe.format)}")\n'
        for name, _ in size_columns(recipe.sizes)
    )


def _grey_edges(recipe: Recipe) -> str:
    """Edge maps of all sizes, with one channel as they are written."""
    names = ["edge", *(name for name, _ in size_columns(recipe.sizes) if name.startswith("edge"))]
    return "".join(f'    .map_dict({name}=lambda edge: edge.convert("L"))\n' for name in names)


def _tensorflow_column(column: tuple[str, ColumnKind]) -> str:
    """A feature that may be left out, and then has a value of its type all the same."""
    name, kind = column
    if sized := size_in(name) if kind is GivenType.PICTURE else None:
        return f'    "{sized[0]}/{sized[1]}/encoded": tf.io.FixedLenFeature([], tf.string),\n'
    if kind is GivenType.PICTURE:
        return '    "model/encoded": tf.io.FixedLenFeature([], tf.string),\n'
    if isinstance(kind, GivenType):
        name = "features" if kind is GivenType.VECTOR else name
        form = "tf.io.FixedLenSequenceFeature([], tf.float32, allow_missing=True)"
        return f'    "{name}": {form},\n'
    type_name, otherwise = _TENSORFLOW_TYPES[kind]
    return f'    "{name}": tf.io.FixedLenFeature([], tf.{type_name}, {otherwise}),\n'


def _tensorflow_sizes(recipe: Recipe, decoded: Template) -> str:
    """A line that decodes a picture or edge map in a smaller size, for each."""
    lines = []
    for name, _ in size_columns(recipe.sizes):
        kind, size = size_in(name) or ("", 0)
        code = decoded if kind == "image" else _TENSORFLOW_PNG_DECODED
        lines.append(f'    parsed["{name}"] = {code.substitute(name=f"{kind}/{size}/encoded")}\n')
    return "".join(lines)


def _by_readme(split: str, form: str = "") -> str:
    return Template(_DATASETS).substitute(split=split, form=form)


def _code(imports: str, body: str, recipe: Recipe, split: str) -> str:
    given = given_columns(recipe.model, recipe.model_output)
    sized = size_columns(recipe.sizes)
    is_webp = recipe.format is ImageFormat.WEBP
    decoded = _TENSORFLOW_WEBP_DECODED if is_webp else _TENSORFLOW_DECODED
    is_tar = recipe.output is Output.WEBDATASET
    sizes = _webdataset_sizes(recipe) if is_tar else _tensorflow_sizes(recipe, decoded)
    labels = {Output.WEBDATASET: ', label="cls"', Output.TFRECORD: _TENSORFLOW_LABEL}
    return Template(_FILES + "\n" + body).substitute(
        split=split,
        imports=imports,
        extension=EXTENSIONS[recipe.output],
        format=recipe.format,
        pictures=_WEBDATASET_AVIF if recipe.format is ImageFormat.AVIF else '"pil"',
        label=labels.get(recipe.output, "") if recipe.label_from_folder else "",
        caption=', caption="txt"' if CAPTION in dict(recipe.columns) else "",
        given="".join(_webdataset_file(it, recipe.format) for it in given),
        columns="".join(map(_tensorflow_column, (*recipe.columns, *given, *sized))),
        edges="" if recipe.edge_three_channels else _grey_edges(recipe),
        drawing=_TENSORFLOW_DRAWING if (DRAWING, GivenType.PICTURE) in given else "",
        sizes=sizes,
        decoded=decoded.substitute(name="image/encoded"),
    )
