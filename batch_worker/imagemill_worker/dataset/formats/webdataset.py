"""WebDataset: a tar archive in which the files of a sample follow each other under one name.

    <key>.jpg        the picture; or .png, .webp or .avif
    <key>.edge.png   its edge map
    <key>.json       what is known about both
    <key>.cls        the number of the class, if there is one
    <key>.txt        the column `caption`, if there is one
    <key>.npy        the vector that a model gives, if it does
    <key>.model.png  the picture that it draws, if it does
    <key>.64.jpg     the picture in another size, if there are any; `.64.edge.png` its edge map

Scores that a model gives are in the JSON file.

The layout is described in https://github.com/webdataset/webdataset. The archive is POSIX pax, which
is plain ustar unless a name has more than 100 characters.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import BinaryIO

from imagemill_contract.recipe_parts.columns import CAPTION
from imagemill_contract.recipe_parts.given import (
    DRAWING,
    VECTOR,
    NamedKinds,
    SampleValue,
    file_ending,
    size_in,
)
from imagemill_worker.dataset.formats.samples import ANY_BYTES, Sample, checked
from imagemill_worker.dataset.formats.tar_archive import files_in, padding_of, write_archive

_Member = tuple[str, bytes]
# Fields of the JSON member that are no columns.
_OWN = frozenset({"filename", "format", "height", "label", "label_text", "sha256", "width"})


class WebDataset:
    """Shards as WebDataset archives.

    The archive has no checksums for the content of files. The picture's is in the JSON, and the PNG
    file of the edge map has its own.
    """

    extension = ".tar"

    def write(
        self,
        file: BinaryIO,
        samples: Iterable[Sample],
        _largest_bytes: int = ANY_BYTES,
        _columns: NamedKinds = (),
        /,
    ) -> None:
        """As `DatasetFormat.write`."""
        members = (member for sample in samples for member in _members_of(sample))
        write_archive(file, members)

    def read(self, file: BinaryIO) -> Iterator[Sample]:
        """As `DatasetFormat.read`."""
        return checked(_samples(file))


def _members_of(sample: Sample) -> Iterator[_Member]:
    said = {name: it for name, it in sample.columns.items() if not isinstance(it, bytes)}
    document: dict[str, SampleValue] = {
        **said,
        "filename": sample.filename,
        "format": sample.image_format,
        "height": sample.height,
        "sha256": sample.sha256,
        "width": sample.width,
    }
    if sample.label is not None:
        document |= {"label": sample.label, "label_text": sample.label_text}
    ordered = dict(sorted(document.items()))  # scores stay in the order of their labels
    text = json.dumps(ordered, ensure_ascii=False, separators=(",", ":"))
    yield sample.image_name, sample.image
    yield sample.edge_name, sample.edge
    yield f"{sample.key}.json", text.encode()
    if sample.label is not None:
        yield f"{sample.key}.cls", str(sample.label).encode()
    if CAPTION in sample.columns:
        yield f"{sample.key}.txt", str(sample.columns[CAPTION] or "").encode()
    for name, body in sorted(sample.columns.items(), key=_file_order):
        if isinstance(body, bytes):
            yield sample.file_name(name), body


def _file_order(column: tuple[str, SampleValue]) -> tuple[int, str]:
    """What a model gives first, then sizes, the smallest first, each picture before its edges."""
    name, _ = column
    kind, size = size_in(name) or ("", 0)
    return size, {"image": "", "edge": name}.get(kind, name)


def _samples(file: BinaryIO) -> Iterator[Sample]:
    for _, members in groupby(_members(file), _key_of):
        group = list(members)
        sample = _sample(group)
        if group != list(_members_of(sample)):
            raise ValueError(f"the files of {sample.key!r} are not those that were written")
        yield sample


def _key_of(member: _Member) -> str:
    """The key that readers find in a member's name."""
    folder, slash, name = member[0].rpartition("/")
    return folder + slash + name.partition(".")[0]


def _sample(group: list[_Member]) -> Sample:
    """The sample of files whose names are not yet checked: a picture, an edge map, a JSON file."""
    if len(group) < 3:
        raise ValueError(f"the archive ends after {group[-1][0]!r}, within a sample")
    (name, image), (_, edge), (json_name, text), *rest = group
    key, _, image_format = name.rpartition(".")
    try:
        document = json.loads(text)
        return Sample(
            key=key,
            filename=document["filename"],
            image=image,
            image_format=image_format,
            edge=edge,
            width=document["width"],
            height=document["height"],
            sha256=document["sha256"],
            label=document.get("label"),
            label_text=document.get("label_text", ""),
            columns={
                **{name: value for name, value in document.items() if name not in _OWN},
                **dict(_columns_in_files(key, image_format, rest)),
            },
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{json_name!r} does not describe {name!r}") from error


def _columns_in_files(
    key: str, image_format: str, files: Iterable[_Member]
) -> Iterator[tuple[str, bytes]]:
    """Columns that have files of their own."""
    for name, body in files:
        ending = name.removeprefix(f"{key}.")
        size = ending.partition(".")[0]
        for column in (VECTOR, DRAWING, f"image_{size}", f"edge_{size}"):
            if ending == file_ending(column, image_format):
                yield column, body


def _members(file: BinaryIO) -> Iterator[_Member]:
    """Every file of the archive. Raises ValueError unless it is whole to its last byte."""
    for name, length, offset in files_in(file):
        file.seek(offset)
        padding = padding_of(length)
        body = file.read(length)
        if len(body) != length or file.read(len(padding)) != padding:
            raise ValueError(f"the file {name!r} is cut off or followed by other bytes")
        yield name, body
