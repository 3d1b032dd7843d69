"""Which samples are duplicates: by the same bytes, or by fingerprints that are alike."""

from __future__ import annotations

import io
import itertools
import json
import threading
from array import array
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from imagemill_contract.outcomes import PLAIN, Reason
from imagemill_contract.recipe import Output
from imagemill_dataset.index import Entry, Index, IndexedRun, encode_part
from imagemill_worker.dataset.alike.duplicates import duplicates, grouped, linked_numbers
from imagemill_worker.dataset.alike.near import leaders
from imagemill_worker.errors import ArgumentsError
from imagemill_worker.picture.fingerprint import difference_hash_of_file, fingerprint
from tests.helpers.datasets import Dataset
from tests.helpers.photographs import photograph

RUNNING = threading.Event()
RUN = IndexedRun("run-1", "2026", "source", {})
NAMES = (
    "rocket.jpg",
    "astronaut.png",
    "coffee.png",
    "chelsea.png",
    "camera.png",
    "motorcycle_left.png",
)
COMPARED = {"event": "compared", "plain": 0, "unknown": 0}
FINGERPRINTS = st.dictionaries(
    st.text("abc", min_size=1, max_size=4),
    # few bits, so that some are near each other
    st.lists(st.sampled_from([0, 1, 7, 8, 31, 32, 62, 63]), max_size=5).map(
        lambda places: sum(1 << place for place in {*places})
    ),
    max_size=12,
)


@pytest.fixture(autouse=True)
def allow_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOW_FILE_URIS", "true")


def linked(fingerprints: dict[str, int], distance: int) -> list[list[str]]:
    """The groups by the definition: all that can be reached by steps of at most `distance`."""
    left, groups = sorted(fingerprints), []
    while left:
        group, rest = [left[0]], left[1:]
        for name in group:
            near = [
                other
                for other in rest
                if (fingerprints[name] ^ fingerprints[other]).bit_count() <= distance
            ]
            group += near
            rest = [other for other in rest if other not in near]
        groups.append(sorted(group))
        left = rest
    return sorted(group for group in groups if len(group) > 1)


def groups_of(fingerprints: dict[str, int], distance: int) -> list[list[str]]:
    """The groups by the code; rows come in the order of names."""
    numbers = linked_numbers(array("Q", fingerprints.values()), distance)
    rows = [(name, Entry("e", None, RUN)) for name in sorted(fingerprints)]
    return grouped(rows, lambda name, _: numbers.get(fingerprints[name]))


@given(FINGERPRINTS, st.integers(0, 16))
def test_groups_are_those_that_small_steps_link(
    fingerprints: dict[str, int], distance: int
) -> None:
    assert groups_of(fingerprints, distance) == linked(fingerprints, distance)


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=50), st.data(), st.integers(1, 16))
def test_a_number_that_differs_in_so_many_bits_is_found(
    numbers: list[int], data: st.DataObject, distance: int
) -> None:
    bits = data.draw(st.sets(st.integers(0, 63), min_size=1, max_size=distance))
    near = numbers[0] ^ sum(1 << bit for bit in bits)
    values = np.unique(np.array([*numbers, near], np.uint64))
    found = dict(zip(values.tolist(), leaders(values, distance).tolist(), strict=True))
    assert found[numbers[0]] == found[near]


@given(FINGERPRINTS, st.randoms())
def test_groups_do_not_depend_on_the_order(fingerprints: dict[str, int], random: object) -> None:
    items = list(fingerprints.items())
    random.shuffle(items)  # type: ignore[attr-defined] # hypothesis types it as Random
    assert groups_of(dict(items), 3) == groups_of(fingerprints, 3)


def encoded(image: Image.Image, kind: str = "JPEG", **options: int) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def variants(image: Image.Image) -> list[bytes]:
    half = image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS)
    brighter = ImageEnhance.Brightness(image).enhance(1.1)
    return [encoded(image, quality=60), encoded(half, quality=85), encoded(brighter, "PNG")]


def test_copies_of_a_photograph_are_near_it_and_other_photographs_are_not() -> None:
    squares = [photograph(name).resize((128, 128)) for name in NAMES]
    originals = [difference_hash_of_file(encoded(image, quality=95)) for image in squares]
    far = [
        (one ^ other).bit_count()
        for one, other in itertools.combinations(originals, 2)
        if one is not None and other is not None
    ]
    assert min(far) > 8
    for image, original in zip(squares, originals, strict=True):
        assert original is not None
        for copy in variants(image):
            found = difference_hash_of_file(copy)
            assert found is not None
            assert (found ^ original).bit_count() <= 4


def test_plain_picture_has_no_fingerprint_for_it_would_be_that_of_all_others() -> None:
    assert difference_hash_of_file(encoded(Image.new("RGB", (64, 64), "#888888"), "PNG")) is None
    assert difference_hash_of_file(b"no picture") is None


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 2), (9, 8), (128, 85), (1000, 2)])
def test_fingerprint_compares_the_means_of_boxes(height: int, width: int) -> None:
    grey = np.random.default_rng(height).integers(0, 255, (height, width), np.uint8)
    rows, columns = (
        [
            slice(
                place * side // count, max(place * side // count + 1, (place + 1) * side // count)
            )
            for place in range(count)
        ]
        for side, count in ((height, 8), (width, 9))
    )
    means = [[int(grey[row, column].mean() + 0.5) for column in columns] for row in rows]
    bits = "".join(str(int(line[at] < line[at + 1])) for line in means for at in range(8))
    assert fingerprint(grey) in (f"{int(bits, 2):016x}", PLAIN)
    assert (fingerprint(grey) == PLAIN) == (len({mean for line in means for mean in line}) == 1)


def without_fingerprints(dataset: Dataset) -> None:
    """The index as earlier versions have written it."""
    for path in (dataset.output / "index").glob("*.jsonl.gz"):
        index = Index.of_parts([(path.name, path.read_bytes())])
        entries = {key: entry._replace(fingerprint="") for key, entry in index.entries.items()}
        path.write_bytes(encode_part(entries, index.shards.values()))


@pytest.mark.parametrize("output", [Output.WEBDATASET, Output.TFRECORD, Output.PARQUET])
def test_duplicates_of_two_runs_are_found(
    output: Output, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    dataset = Dataset(tmp_path)
    dataset.recipe |= {"output": output, "size": 64}
    one, other = (encoded(photograph(name), quality=90) for name in NAMES[:2])
    again = encoded(photograph(NAMES[0]), quality=70)
    plain = encoded(Image.new("RGB", (64, 64), "#888888"), "PNG")
    dataset.run({"a.jpg": one, "b.jpg": other, "c.jpg": one})
    dataset.run({"d.jpg": again, "e.png": plain, "f.png": plain, "g.jpg": b"no picture"})
    capfd.readouterr()

    def found(distance: int | None) -> list[dict[str, object]]:
        duplicates(f"file://{dataset.output}/", RUNNING, distance=distance)
        return [json.loads(line) for line in capfd.readouterr().out.splitlines()]

    *same, summary = found(None)
    assert [event["names"] for event in same] == [["a.jpg", "c.jpg"], ["e.png", "f.png"]]
    assert summary == COMPARED | {"pictures": 6, "groups": 2, "extra": 2}
    alike, summary = found(4)
    assert alike == {"event": "duplicates", "names": ["a.jpg", "c.jpg", "d.jpg"]}
    assert summary == COMPARED | {"pictures": 4, "groups": 1, "extra": 2, "plain": 2}

    without_fingerprints(dataset)
    assert found(4) == [alike, summary]


def test_files_are_compared_by_their_fingerprints(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    dataset = Dataset(tmp_path)
    entries = {
        name: Entry("e", reason, RUN, fingerprint=found)
        for name, reason, found in (
            ("a.jpg", None, "00000000000000ff"),
            ("b.jpg", None, "00000000000000fe"),
            ("c.jpg", Reason.CORRUPT, ""),
            ("d.jpg", None, ""),  # by an earlier version
            ("e.jpg", None, PLAIN),
        )
    }
    dataset.write("index/2026-run-1.jsonl.gz", encode_part(entries))
    duplicates(f"file://{dataset.output}/", RUNNING, distance=1)
    group, summary = (json.loads(line) for line in capfd.readouterr().out.splitlines())
    assert group["names"] == ["a.jpg", "b.jpg"]
    counts = {"pictures": 2, "groups": 1, "extra": 1, "plain": 1, "unknown": 1}
    assert summary == COMPARED | counts
    with pytest.raises(ArgumentsError, match="Files are compared by --distance"):
        duplicates(f"file://{dataset.output}/", RUNNING, distance=None)


@pytest.mark.parametrize("distance", [None, 2])
def test_no_results_are_told(tmp_path: Path, distance: int | None) -> None:
    with pytest.raises(ArgumentsError, match="There are no"):
        duplicates(f"file://{tmp_path}/", RUNNING, distance=distance)
