"""Puts together the files of the worker image: Python, packages, and the libraries that they load.

    python image_root.py ENVIRONMENT ROOT

ENVIRONMENT is a virtual environment of this Python, ROOT the folder that becomes the image's root.
In it is no shell, no package manager and no pip. Needs to be root, as in the build of the image.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

# Parts of the standard library that no job imports: installers, what draws on screens, tests.
UNNEEDED = (
    *("ensurepip", "venv", "site-packages", "config-*", "test", "idlelib", "tkinter"),
    *("turtledemo", "turtle.py", "curses", "lib2to3", "pydoc_data", "sqlite3", "dbm"),
    *("__pycache__", "lib-dynload/_test*", "lib-dynload/_xx*", "lib-dynload/xx*"),
    *("lib-dynload/_tkinter*", "lib-dynload/_curses*", "lib-dynload/readline*"),
    *("lib-dynload/_sqlite3*", "lib-dynload/_*dbm*"),
)
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
FILES = {
    "etc/passwd": "root:x:0:0:root:/:\nnobody:x:65534:65534:nobody:/:\n",
    "etc/group": "root:x:0:\nnobody:x:65534:\n",
    "etc/nsswitch.conf": "hosts: files dns\n",
}
_ELF = b"\x7fELF"


def build(environment: Path, root: Path) -> None:
    """Write all files below `root`, at the paths that they have here."""
    base, library = Path(sys.base_prefix), Path(sysconfig.get_path("stdlib"))
    left_out = {path for pattern in UNNEEDED for path in library.glob(pattern)}
    copy_tree(library, root, left_out)
    for path in interpreters(base):
        copy_file(path, root)
    copy_tree(environment, root, set(environment.glob("bin/[aA]ctivate*")))  # they are for shells
    for path in linked(root):
        copy_file(path, root)
    copy_file(CERTIFICATES, root)
    for name, text in FILES.items():
        (root / name).write_text(text)
    (root / "etc" / "ld.so.conf").write_text(f"{base}/lib\n")
    subprocess.run(["/sbin/ldconfig", "-r", str(root)], check=True)
    scratch = root / "scratch"
    scratch.mkdir()
    scratch.chmod(0o1777)  # whoever runs in it: an image need not keep owners


def copy_tree(source: Path, root: Path, left_out: set[Path]) -> None:
    """Copy a folder to its place below `root`, but for some paths in it."""

    def ignored(folder: str, names: list[str]) -> list[str]:
        return [name for name in names if Path(folder, name) in left_out]

    target = root / source.relative_to("/")
    shutil.copytree(source, target, symlinks=True, ignore=ignored, dirs_exist_ok=True)


def copy_file(source: Path, root: Path) -> None:
    """Copy a file to its place below `root`; of a link the file that it leads to."""
    target = root / source.relative_to("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)


def interpreters(base: Path) -> Iterator[Path]:
    """What an environment's `python` may lead to."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    names = ("python", "python3", f"python{version}")
    yield from (path for name in names if (path := base / "bin" / name).exists())


def executables(root: Path) -> Iterator[Path]:
    """All programs and libraries below `root`."""
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if file.read(len(_ELF)) == _ELF:
                    yield path


def linked(root: Path) -> set[Path]:
    """The libraries that what is below `root` is linked with and that are elsewhere.

    Raises RuntimeError for one that is nowhere.
    """
    programs = list(executables(root))
    names = {path.name for path in programs}
    found: set[Path] = set()
    for program in programs:
        command = ["/usr/bin/ldd", str(program)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        found |= {Path(path) for path in re.findall(r"(?:=> |^\s+)(/\S+) \(", ended.stdout, re.M)}
        # an extension has loaded these from its own folder before it loads what asks for them
        missing = set(re.findall(r"(\S+) => not found", ended.stdout)) - names
        if missing:
            raise RuntimeError(f"{program} is linked with {missing}, which is not here.")
    return {path for path in found if not path.is_relative_to(root)}


if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(sys.argv[2]))
