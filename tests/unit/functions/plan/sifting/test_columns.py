"""Objects get the values of their columns from a manifest, or from files beside them."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import pytest
from arro3.core import Array, DataType, Field, RecordBatch, Schema
from arro3.io import write_parquet

from imagemill_app.plan.pictures import Pictures, pictures_of
from imagemill_app.refusal import RunRefused
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Reason
from imagemill_contract.recipe import Recipe
from imagemill_contract.requests.request import RunRequest

RECIPE = Recipe.from_document({"columns": ["caption", "year:int"]})
ROWS = {"a.jpg": ("Kätzchen", 2024), "b.jpg": ("two\nlines", None)}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "cat").mkdir(parents=True)
    for name in ("a.jpg", "b.jpg", "c.jpg", "cat/d.png", "e.jpg", "f.jpg"):
        (folder / name).write_bytes(b"12345")
    return folder


def planned(photos: Path, manifest: Path | None = None) -> Pictures:
    source = Location.of_folder(PurePosixPath(photos))
    output = Location.of_folder(PurePosixPath(photos.parent / "out"))
    address = manifest.as_uri() if manifest else None
    request = RunRequest(RECIPE, source=source, manifest=address)
    (pictures,) = pictures_of(request, output, output, 100)
    return pictures


def said(pictures: Pictures) -> dict[str, object]:
    return {item.key: item.columns for item in pictures.objects}


def refused(pictures: Pictures) -> dict[str, Reason | None]:
    return {item.key: item.reason for item in pictures.refused}


def table(rows: dict[str, tuple[str, int | None]]) -> bytes:
    values: list[Sequence[object]] = [
        list(rows),
        [row[0] for row in rows.values()],
        [row[1] for row in rows.values()],
    ]
    schema = Schema(
        [
            Field("Key", DataType.string()),
            Field("caption", DataType.string()),
            Field("year", DataType.int64()),
        ]
    )
    arrays = [Array(some, schema.field(place).type) for place, some in enumerate(values)]
    file = io.BytesIO()
    write_parquet(RecordBatch.from_arrays(arrays, schema=schema), file)
    return file.getvalue()


def test_files_beside_a_picture_say_its_columns(photos: Path) -> None:
    (photos / "a.txt").write_text("Kätzchen\n", encoding="utf-8")
    (photos / "a.json").write_text('{"Year": 2024, "other": [1]}')
    (photos / "b.json").write_text('{"caption": "of the JSON"}')
    (photos / "b.txt").write_text("of the text")
    (photos / "cat/d.txt").write_text("")
    (photos / "c.json").write_text('{"year": "soon"}')
    (photos / "e.json").write_text("[1]")
    found = planned(photos)
    assert said(found) == {
        "a.jpg": ("Kätzchen", 2024),
        "b.jpg": ("of the JSON", None),
        "cat/d.png": ("", None),
    }
    assert refused(found) == {
        "c.jpg": Reason.BAD_ROW,
        "e.jpg": Reason.BAD_ROW,
        "f.jpg": Reason.NO_ROW,
    }


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("list.csv", 'key,Caption,year\na.jpg,Kätzchen,2024\nb.jpg,"two\nlines",\n'.encode()),
        (
            "list.jsonl",
            "\n".join(
                json.dumps({"key": key, "caption": row[0], "year": row[1]})
                for key, row in ROWS.items()
            ).encode(),
        ),
        ("list.parquet", table(ROWS)),
    ],
)
def test_every_kind_of_manifest_says_columns(photos: Path, name: str, body: bytes) -> None:
    manifest = photos.parent / name
    manifest.write_bytes(body)
    found = planned(photos, manifest)
    assert said(found) == ROWS
    assert refused(found) == {}


def test_a_line_without_columns_leaves_them_to_the_files_beside(photos: Path) -> None:
    manifest = photos.parent / "list.jsonl"
    manifest.write_text('"a.jpg"\n"b.jpg"\n{"key": "c.jpg", "year": "soon"}\n')
    (photos / "a.txt").write_text("beside")
    found = planned(photos, manifest)
    assert said(found) == {"a.jpg": ("beside", None)}
    assert refused(found) == {"b.jpg": Reason.NO_ROW, "c.jpg": Reason.BAD_ROW}


def test_torn_parquet_is_refused_in_one_sentence(photos: Path) -> None:
    manifest = photos.parent / "list.parquet"
    manifest.write_bytes(table(ROWS)[:-9])
    with pytest.raises(RunRefused, match="does not begin and end as a Parquet file"):
        planned(photos, manifest)
