"""Pillow's readers: the one of the kind, and no other."""

from __future__ import annotations

import subprocess
import sys

import pytest

from imagemill_worker.codecs.file_kind import Kind, kind_of
from imagemill_worker.codecs.pillow_plugins import read_header, read_header_by_libtiff
from tests.helpers.jobs import ROOT
from tests.helpers.picture_files import OTHER_FILES
from tests.helpers.pictures import HEIGHT, WIDTH, jpeg, photograph
from tests.helpers.tiff_files import of_ycbcr

ONE_PNG = """
import sys
from imagemill_worker.codecs.file_kind import Kind
from imagemill_worker.codecs.pillow_plugins import read_header
read_header(sys.stdin.buffer.read(), Kind.PNG)
print(*(name for name in sys.modules if name.endswith("ImagePlugin") or name == "pi_heif"))
"""


@pytest.mark.parametrize("name", OTHER_FILES)
def test_size_is_known_of_every_kind(name: str) -> None:
    body = OTHER_FILES[name]()
    width, height = read_header(body, kind_of(body)).size
    if name == "ico":  # whose largest picture is smaller
        assert (width, height) == (160, round(160 * HEIGHT / WIDTH))
    else:
        assert (width, height) == (WIDTH, HEIGHT)


@pytest.mark.parametrize("name", ["png", "gif", "webp"])
def test_why_a_file_is_refused_is_said_by_the_reader_of_its_kind(name: str) -> None:
    body = OTHER_FILES[name]()
    kind = kind_of(body)
    with pytest.raises((SyntaxError, OSError, EOFError, ValueError)) as caught:
        read_header(body[:12], kind).load()
    assert "cannot identify" not in str(caught.value)


def test_plugins_of_other_kinds_are_not_imported() -> None:
    path = f"{ROOT / 'contract'}:{ROOT / 'batch_worker'}"
    done = subprocess.run(
        [sys.executable, "-c", ONE_PNG],
        input=OTHER_FILES["png"](),
        env={"PYTHONPATH": path},
        capture_output=True,
        check=True,
    )
    assert done.stdout.split() == [b"PIL.PngImagePlugin"]


def test_libtiff_reads_the_file_that_it_is_to_read_and_no_other() -> None:
    body = of_ycbcr(photograph().resize((96, 80)), 2, 2).encode()
    by_libtiff = read_header_by_libtiff(body)
    by_pillow = read_header(body, Kind.TIFF)
    by_libtiff.load()
    assert by_libtiff.mode == "RGB"
    with pytest.raises(OSError, match="truncated"):  # takes it for a file of all samples
        by_pillow.load()


def test_jpeg_is_read_by_its_plugin_too() -> None:
    assert read_header(jpeg(90, 60), kind_of(jpeg())).size == (90, 60)
