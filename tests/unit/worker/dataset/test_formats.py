"""Dataset shards: what is read is what was written, and damage is found."""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagemill_worker.dataset.formats.registry import FORMATS, dataset_format
from imagemill_worker.dataset.formats.samples import DamagedShardError, Sample
from tests.helpers.dataset_samples import labelled, noise, sample, samples_in, shard

every_format = pytest.mark.parametrize("name", FORMATS)


texts = st.text(st.characters(exclude_categories=["Cs"]))
parts = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters="/"))
labels = st.none() | st.tuples(st.integers(-(2**63), 2**63 - 1), texts)


@st.composite
def sample_lists(draw: st.DrawFn) -> list[Sample]:
    drawn = []
    for index in range(draw(st.integers(0, 4))):
        folders = [f"k{part}" for part in draw(st.lists(parts, max_size=3))]
        long = ["n" * 298] * draw(st.sampled_from([0, 0, 1, 3]))
        label = draw(labels)
        drawn.append(
            sample(
                "/".join([*long, *folders, str(index)]),
                draw(st.binary(max_size=2000)),
                filename=draw(texts),
                image_format=draw(st.sampled_from(["jpg", "png", "webp"])),
                edge=draw(st.binary(max_size=2000)),
                width=draw(st.integers(1, 2**31 - 1)),
                label=label and label[0],
                label_text=label[1] if label else "",
            )
        )
    return drawn


@every_format
@settings(max_examples=60)
@given(samples=sample_lists())
def test_what_is_read_is_what_was_written(name: str, samples: list[Sample]) -> None:
    body = shard(name, samples)
    assert samples_in(name, body) == samples
    assert shard(name, samples) == body


@every_format
def test_more_samples_than_a_batch_or_a_group_holds(name: str) -> None:
    samples = labelled(333, 50)
    assert samples_in(name, shard(name, samples)) == samples


DIGESTS = """
import hashlib, io
from imagemill_worker.dataset.formats.registry import FORMATS, dataset_format
from imagemill_worker.dataset.formats.samples import Sample
samples = [
    Sample(f"{'n' * 90 * index}{index}", "ü.jpg", b"jpeg", "jpg", b"png", 3, 4,
           hashlib.sha256(b"jpeg").hexdigest(), *((index, "x") if index else ()))
    for index in range(3)
]
for name in FORMATS:
    file = io.BytesIO()
    dataset_format(name).write(file, samples)
    print(name, hashlib.sha256(file.getvalue()).hexdigest())
"""


def python(code: str, *arguments: str, **env: str) -> str:
    """What a new process prints."""
    command = [sys.executable, "-c", code, *arguments]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **env}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout


def test_every_process_writes_the_same_bytes() -> None:
    first = python(DIGESTS, PYTHONHASHSEED="1")
    assert python(DIGESTS, PYTHONHASHSEED="2") == first
    other = python(DIGESTS, PYTHONHASHSEED="3", PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION="python")
    assert other == first
    digests = dict(line.split() for line in first.splitlines())
    del digests["parquet"]  # the files tell the version of arro3's writer
    assert digests == {
        "webdataset": "b265c4754bcbca394469bca7ecc2d0287c7a0db817aa57946a436ebad0b7ab23",
        "tfrecord": "998828953fe91daa3a0c872a88f2e65db3474fad9b2c0bd86073e8d3895d93b4",
    }


def test_a_format_imports_what_it_needs_and_no_more() -> None:
    code = (
        "import sys; from imagemill_worker.dataset.formats.registry import dataset_format;"
        "dataset_format('webdataset');"
        "print({'arro3', 'google', 'google_crc32c', 'cv2'} & set(sys.modules))"
    )
    assert python(code).strip() == "set()"


# --- damage ---------------------------------------------------------------------------------------


@every_format
@pytest.mark.parametrize("offset", [0, 1499, 2999])
def test_a_flipped_bit_in_an_image_is_found_at_its_sample(name: str, offset: int) -> None:
    samples = labelled(5)
    body = bytearray(shard(name, samples))
    body[body.index(samples[3].image) + offset] ^= 4
    reader = dataset_format(name).read(io.BytesIO(body))
    assert [next(reader) for _ in range(3)] == samples[:3]
    with pytest.raises(DamagedShardError, match=r"^Sample 3: .*\.$"):
        next(reader)


@every_format
@pytest.mark.parametrize("cut_bytes", [1, 7, 8, 500, 512, 1024, 4000, 10240, 12000])
def test_a_shard_that_is_cut_off_is_found(name: str, cut_bytes: int) -> None:
    body = shard(name, labelled(8))
    with pytest.raises(DamagedShardError):
        samples_in(name, body[:-cut_bytes])


@pytest.mark.parametrize("name", ["webdataset", "parquet"])
@pytest.mark.parametrize("count", [0, 1])
def test_an_empty_file_is_no_shard(name: str, count: int) -> None:
    for size in (0, 4, 8, 11):
        with pytest.raises(DamagedShardError):
            samples_in(name, shard(name, labelled(count))[:size])


def test_every_flipped_bit_of_a_tfrecord_is_found() -> None:
    body = shard("tfrecord", labelled(2, 10))
    for index in range(len(body)):
        damaged = bytearray(body)
        damaged[index] ^= 1 << index % 8
        with pytest.raises(DamagedShardError):
            samples_in("tfrecord", bytes(damaged))


def test_every_flipped_bit_of_a_tar_header_is_found() -> None:
    body = shard("webdataset", labelled(2, 10))
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        headers = [member.offset for member in archive]
    for header, index in itertools.product(headers, range(512)):
        if index in (154, 155):  # what ends the checksum's own field, and no reader looks at
            continue
        damaged = bytearray(body)
        damaged[header + index] ^= 1
        with pytest.raises(DamagedShardError):
            samples_in("webdataset", bytes(damaged))


def test_a_long_name_is_damaged_with_effect_and_found_or_without() -> None:
    samples = [sample("n" * 200, b"image"), *labelled(1, 10)]
    body = shard("webdataset", samples)
    for index in range(512, 1024):  # the pax records, which have no checksum
        damaged = bytearray(body)
        damaged[index] ^= 1
        with contextlib.suppress(DamagedShardError):
            assert samples_in("webdataset", bytes(damaged)) == samples


@pytest.mark.parametrize("lost", range(4))
def test_a_lost_file_of_an_archive_is_found(lost: int) -> None:
    body, file = io.BytesIO(shard("webdataset", labelled(2))), io.BytesIO()
    with tarfile.open(fileobj=body) as whole, tarfile.open(fileobj=file, mode="w") as archive:
        for index, member in enumerate(whole):
            if index != lost:
                archive.addfile(member, whole.extractfile(member))
    with pytest.raises(DamagedShardError, match="Sample 0"):
        samples_in("webdataset", file.getvalue())


def test_rows_whose_pictures_were_exchanged_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sample, "image_name", "another.jpg")
    body = shard("parquet", labelled(1))
    with pytest.raises(DamagedShardError, match="of another"):
        samples_in("parquet", body)


@every_format
def test_another_file_is_no_shard(name: str) -> None:
    with pytest.raises(DamagedShardError):
        samples_in(name, noise(1, 20_000))


@pytest.mark.parametrize(
    "key", ["", "a.b", "a/b.c", "a/", "/a", "a//b", "ü", "a\n", "__x__/a", "a/__b", "../a", "./a"]
)
def test_a_key_that_readers_would_lose_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        sample(key, b"")


def test_a_text_without_a_label_is_refused() -> None:
    with pytest.raises(ValueError, match="label"):
        sample("a", b"", label_text="cat")


# --- while writing --------------------------------------------------------------------------------


class Failure(Exception):
    pass


@every_format
@pytest.mark.parametrize("failure", [Failure(), KeyboardInterrupt()])
def test_what_the_samples_raise_comes_out_as_it_is(name: str, failure: BaseException) -> None:
    def broken() -> Iterator[Sample]:
        yield from labelled(30)
        raise failure

    with pytest.raises(type(failure)) as caught:
        dataset_format(name).write(io.BytesIO(), broken())
    assert caught.value is failure


class FullDisk(io.BytesIO):
    def write(self, data: Any) -> int:
        if self.tell() > 50_000:
            raise OSError(28, "No space left on device")
        return super().write(data)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)


@every_format
def test_a_full_disk_is_an_error_of_the_system(name: str) -> None:
    with pytest.raises(OSError, match="No space left"):
        dataset_format(name).write(FullDisk(), labelled(300))


MEMORY = """
import sys
from hashlib import sha256
from random import Random
from imagemill_worker.dataset.formats.registry import dataset_format
from imagemill_worker.dataset.formats.samples import Sample

def peak_bytes():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024

def samples(count):
    for index in range(count):
        image = Random(index).randbytes(14_000)
        digest = sha256(image).hexdigest()
        yield Sample(f"{index:08d}", "", image, "jpg", image[:2000], 1, 1, digest)

name, path = sys.argv[1:]
shards = dataset_format(name)
for count in (200, 4000):
    before = peak_bytes()
    with open(path, "wb") as file:
        shards.write(file, samples(count))
    with open(path, "rb") as file:
        assert sum(1 for _ in shards.read(file)) == count
print(peak_bytes() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@every_format
def test_64_megabytes_do_not_need_as_much_memory(name: str, tmp_path: Path) -> None:
    path = tmp_path / "shard"
    more_bytes = int(python(MEMORY, name, str(path)))
    assert path.stat().st_size > 64_000_000
    assert more_bytes < 8_000_000
