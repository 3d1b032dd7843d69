"""The files of the worker image, put together from this Python and its packages, and run in.

A chroot stands in for a container: it has these files and no others. That takes root, and binutils.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections import Counter
from pathlib import Path

import cv2
import image_root
import numpy
import pytest
import strip_packages
import stub_libraries

from benchmarks.image_size import needed

ROOT = Path(__file__).parents[3]
PACKAGES = Path(numpy.__file__).parents[1]
TOOLS = ("cc", "nm", "readelf", "ldd", "unshare")

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="images are of Linux"),
    pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason="no compiler, no binutils"),
    pytest.mark.xdist_group("image root"),
]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment as the image has it."""
    folder = tmp_path_factory.mktemp("image") / "worker"
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python3*/site-packages")
    for found in needed(PACKAGES, ROOT / "batch_worker" / "requirements.txt"):
        for file in found.files or ():
            source, target = PACKAGES / file, packages / file
            if source.is_file() and source.suffix != ".pyc" and ".." not in file.parts:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
    strip_packages.strip(packages)
    stub_libraries.stub(packages)
    for name in ("imagemill_contract", "imagemill_dataset"):
        shutil.copytree(ROOT / "contract" / name, folder / "app" / name)
    shutil.copytree(ROOT / "batch_worker" / "imagemill_worker", folder / "app/imagemill_worker")
    shutil.copy2(ROOT / "batch_worker" / "try_image.py", folder / "app")
    return folder


@pytest.fixture(scope="module")
def root(environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if os.geteuid() != 0:
        pytest.skip("a chroot takes root")
    folder = tmp_path_factory.mktemp("root") / "image"
    folder.mkdir()
    image_root.build(environment, folder)
    return folder


def in_root(
    root: Path, environment: Path, *arguments: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run the image's Python as nobody, with /proc and /dev as a container has them."""
    for name in ("proc", "dev"):
        (root / name).mkdir(exist_ok=True)
    script = (
        'mount --rbind /proc "$1/proc" && mount --rbind /dev "$1/dev"'
        ' && root="$1" && shift && exec chroot --userspec=65534:65534 "$root" "$@"'
    )
    command = ["unshare", "--mount", "sh", "-c", script, "sh", str(root)]
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(environment / "app"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": "/scratch",
        **variables,
    }
    python = str(environment / "bin" / "python")
    return subprocess.run(
        [*command, python, *arguments], env=env, capture_output=True, text=True, check=False
    )


def test_jobs_of_all_kinds_run_with_the_files_of_the_image_alone(
    root: Path, environment: Path
) -> None:
    ended = in_root(root, environment, "-m", "try_image")
    assert ended.returncode == 0, ended.stderr
    assert list((root / "scratch").iterdir()) == []


def test_under_an_emulator_all_modules_are_loaded_and_no_job_is_run(
    root: Path, environment: Path
) -> None:
    platforms = {"BUILDPLATFORM": "linux/amd64", "TARGETPLATFORM": "linux/arm64"}
    ended = in_root(root, environment, "-v", "-m", "try_image", **platforms)
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert "import 'imagemill_worker.stores.odd_keys'" in ended.stderr
    assert "import 'imagemill_worker.dataset.pack'" in ended.stderr


def test_the_image_has_no_shell_no_installer_and_no_compiler(root: Path) -> None:
    files = [path for path in root.rglob("*") if path.is_file()]
    programs = {path.name for path in files if path.parent.name in {"bin", "sbin"}}
    assert programs
    assert {name for name in programs if not name.startswith("python")} == set()
    assert not any(path.name in {"pip", "ensurepip", "setuptools"} for path in root.rglob("*"))


def test_the_image_takes_less_than_300_mb(root: Path) -> None:
    """By benchmarks.image_size it takes 275 MB; this Python may not be stripped of its symbols."""
    sizes: Counter[str] = Counter()
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink():
            part = "packages" if "site-packages" in path.parts else "base"
            sizes[part] += path.stat().st_size
    assert 150e6 < sizes["packages"] < 230e6
    assert sizes["base"] < 100e6


def test_whoever_calls_what_was_left_out_is_ended(environment: Path) -> None:
    (packages,) = environment.glob("lib/python3*/site-packages")
    script = f"""
import sys
sys.path.insert(0, {str(packages)!r})
import cv2
print(cv2.__file__, flush=True)
cv2.VideoCapture("a.mp4", cv2.CAP_FFMPEG)
"""
    command = [sys.executable, "-I", "-c", script]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert str(packages) in ended.stdout
    assert ended.returncode < 0
    assert "was called, but is not in this image" in ended.stderr


def test_only_libraries_without_which_nothing_can_be_decoded_are_left(environment: Path) -> None:
    (packages,) = environment.glob("lib/python3*/site-packages")
    (folder,) = packages.glob("opencv*.libs")
    large = {path.name.partition("-")[0] for path in folder.iterdir() if path.stat().st_size > 1e5}
    assert large <= {"libaom", "libavif", "libpng16"}
    assert Path(cv2.__file__).is_relative_to(PACKAGES), "what is installed here is as it was"
