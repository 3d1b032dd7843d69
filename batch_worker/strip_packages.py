"""Removes from installed packages what no job loads; run by the build of the worker image."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

# The models of the AWS services that jobs call: S3, and STS for credentials.
AWS_SERVICES = frozenset({"s3", "sts"})
# Tests, headers, and what numpy imports only when it is asked for.
_OF_NUMPY = ("_core/include", "distutils", "f2py", "fft", "ma", "polynomial", "random", "testing")
FOLDERS = ("**/tests", *(f"numpy/{name}" for name in _OF_NUMPY))
# Type stubs, sources of extensions, cascades for faces, and Pillow's fonts and windows.
FILES = (
    *("**/*.pyi", "**/*.pyx", "**/*.pxd", "**/*.h", "**/*.a", "cv2/data/*.xml"),
    *("PIL/_imagingft.*", "PIL/_imagingtk.*"),
    *(f"pillow.libs/{name}-*" for name in ("libfreetype", "libharfbuzz", "libbrotli*")),
)


def unneeded(packages: Path) -> Iterator[Path]:
    """Folders and files of `packages` that no job loads."""
    for model in (packages / "botocore" / "data").glob("*/"):
        if model.name not in AWS_SERVICES:
            yield model
    for pattern in (*FOLDERS, *FILES):
        yield from packages.glob(pattern)


def strip(packages: Path) -> None:
    """Remove what is unneeded."""
    for path in sorted(unneeded(packages)):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)  # it went with its folder


if __name__ == "__main__":
    strip(Path(sys.argv[1]))
