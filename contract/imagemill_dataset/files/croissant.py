"""The dataset in Croissant, the vocabulary of MLCommons for machine learning datasets.

http://mlcommons.org/croissant/1.0
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imagemill_contract.keys import DATASET, INDEX_TABLE
from imagemill_contract.recipe import Output
from imagemill_dataset.files.hub_features import class_names
from imagemill_dataset.files.readme import sizes_text
from imagemill_dataset.names import EXTENSIONS

Node = dict[str, Any]

_TERMS = (
    *(
        "citeAs",
        "column",
        "equivalentProperty",
        "extract",
        "field",
        "fileObject",
        "fileProperty",
        "fileSet",
        "format",
    ),
    *("includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet"),
    *(
        "references",
        "regex",
        "repeated",
        "replace",
        "samplingRate",
        "separator",
        "source",
        "subField",
        "transform",
    ),
)
_CONTEXT: Node = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{term: f"cr:{term}" for term in _TERMS},
}
_MEDIA_TYPES = {
    Output.WEBDATASET: "application/x-tar",
    Output.TFRECORD: "application/octet-stream",
    Output.PARQUET: "application/x-parquet",
}
_INDEX_COLUMNS = {
    **dict.fromkeys(("source_key", "split", "shard", "sha256", "reason", "columns"), "sc:Text"),
    **dict.fromkeys(("fingerprint", "taken", "predicted", "scores"), "sc:Text"),
    "score": "sc:Float",
    **dict.fromkeys(("source_bytes", "source_width", "source_height"), "sc:Integer"),
    **dict.fromkeys(("position", "label", "width", "height", "image_bytes"), "sc:Integer"),
}


@dataclass(frozen=True, slots=True)
class IndexTable:
    """A file of the table of all pictures: its key below the output, its length and digest."""

    key: str
    bytes: int
    sha256: str


def croissant_of(card: Mapping[str, Any], tables: Sequence[IndexTable]) -> Node:
    """The document. It names each file of shards and of the table of all pictures."""
    about = card.get("about", {})
    document: Node = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": about.get("pretty_name", card["name"]),
        "description": about.get("description", _description(card)),
        "license": about.get("license", "unknown"),
        "version": "1.0.0",
        "distribution": [
            *map(_index_file, tables),
            *([_index_files()] if len(tables) > 1 else []),
            *map(_shard_file, card["shards"]),
        ],
        "recordSet": [_index_records(tables), *_class_records(card)],
    }
    if "citation" in about:
        document["citeAs"] = about["citation"]
    if "homepage" in about:
        document["url"] = about["homepage"]
    return document


def _description(card: Mapping[str, Any]) -> str:
    recipe = card["recipe"]
    return (
        f"{card['samples']} pictures ({recipe['mode']}, {sizes_text(recipe)} pixels), each with "
        f"its edge map ({recipe['edge']}){_given(recipe)}, in {card['format']} shards."
    )


def _given(recipe: Mapping[str, Any]) -> str:
    what = {"vector": "a vector", "scores": "scores", "image": "a drawing"}
    return f" and {what[recipe['model_output']]} of a neural network" if recipe["model"] else ""


def _index_file(table: IndexTable) -> Node:
    name = table.key.removeprefix(DATASET)
    return _file(name, _MEDIA_TYPES[Output.PARQUET], table.bytes, table.sha256)


def _index_files() -> Node:
    """The files of the table together, which are read as one."""
    name = INDEX_TABLE.removeprefix(DATASET)
    return {
        "@type": "cr:FileSet",
        "@id": name,
        "name": name,
        "encodingFormat": _MEDIA_TYPES[Output.PARQUET],
        "includes": f"{name}/*.parquet",
    }


def _shard_file(row: Mapping[str, Any]) -> Node:
    name = row["key"].removeprefix(DATASET)
    kind = next(kind for kind, extension in EXTENSIONS.items() if name.endswith(extension))
    return _file(name, _MEDIA_TYPES[kind], row["bytes"], row["sha256"])


def _file(name: str, media_type: str, size_bytes: int, sha256: str) -> Node:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "contentSize": f"{size_bytes} B",
        "encodingFormat": media_type,
        "sha256": sha256,
    }


def _index_records(tables: Sequence[IndexTable]) -> Node:
    """A record for each picture, with or without a sample."""
    files: Node = {"fileSet": {"@id": INDEX_TABLE.removeprefix(DATASET)}}
    if len(tables) == 1:
        files = {"fileObject": {"@id": tables[0].key.removeprefix(DATASET)}}
    return {
        "@type": "cr:RecordSet",
        "@id": "index",
        "name": "index",
        "description": "One record for each picture that was processed.",
        "field": [
            _field("index", name, kind) | {"source": {**files, "extract": {"column": name}}}
            for name, kind in _INDEX_COLUMNS.items()
        ],
    }


def _class_records(card: Mapping[str, Any]) -> list[Node]:
    names = class_names(card)
    if not names:
        return []
    return [
        {
            "@type": "cr:RecordSet",
            "@id": "classes",
            "name": "classes",
            "dataType": "sc:Enumeration",
            "key": {"@id": "classes/label"},
            "field": [
                _field("classes", "label", "sc:Integer"),
                _field("classes", "name", "sc:Text"),
            ],
            "data": [
                {"classes/label": number, "classes/name": name} for number, name in enumerate(names)
            ],
        }
    ]


def _field(record_set: str, name: str, kind: str) -> Node:
    return {"@type": "cr:Field", "@id": f"{record_set}/{name}", "name": name, "dataType": kind}
