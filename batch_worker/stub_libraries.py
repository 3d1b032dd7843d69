"""Replaces libraries that a package is linked with, and that no job calls, by empty ones.

OpenCV's wheel comes with the codecs of ffmpeg and with OpenBLAS. They are half of its bytes, and of
what could be attacked. A job decodes, resizes, filters and encodes pictures, which needs none of
them, but the dynamic linker wants each by its name, with each symbol that OpenCV asks for. So the
build of the worker image makes libraries of these names, whose functions end the process: a lane
that called one would be seen as crashed. What only those have needed is removed.

Needs a C compiler and binutils, which are in the build stage alone.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

# Folders of libraries, with the beginnings of names of those that no job calls.
STUBBED = {
    "opencv_python_headless.libs": (
        *("libavcodec-", "libavformat-", "libavutil-", "libswscale-", "libopenblas"),
    )
}
_SYMBOL = re.compile(r"(?P<name>\w+)(?:@@?(?P<version>\w+))?$")
Symbols = dict[str, str]  # name to version, or ""


def stub(packages: Path) -> None:
    """Replace the libraries below a folder of packages, and remove what is not needed any more."""
    for folder, names in STUBBED.items():
        libraries = sorted((packages / folder).glob("*.so*"))
        stubbed = [path for path in libraries if path.name.startswith(names)]
        kept = [path for path in users_of(packages, folder) if path not in stubbed]
        wanted = {path: symbols_for(path, kept) for path in stubbed}
        for path, symbols in wanted.items():
            write_stub(path, symbols)
        needed = {name for path in users_of(packages, folder) for name in needed_by(path)}
        while unneeded := [path for path in libraries if path.name not in needed and path.exists()]:
            for path in unneeded:
                path.unlink()
            needed = {name for path in users_of(packages, folder) for name in needed_by(path)}


def users_of(packages: Path, folder: str) -> list[Path]:
    """Extensions of the package that has a folder of libraries, and these themselves."""
    (package,) = (packages / name for name in ("cv2",) if folder.startswith("opencv"))
    return [*sorted(package.rglob("*.so")), *sorted((packages / folder).glob("*.so*"))]


def needed_by(library: Path) -> set[str]:
    """The names of the libraries that one is linked with."""
    output = _output("readelf", "--dynamic", "--wide", str(library))
    return set(re.findall(r"\(NEEDED\).*\[(.+)\]", output))


def symbols_for(library: Path, users: Iterable[Path]) -> Symbols:
    """What others ask of a library: those of its symbols that they do not have."""
    has = dict(_symbols("--defined-only", library))
    asked: Symbols = {}
    for user in users:
        if library.name in needed_by(user):
            found = dict(_symbols("--undefined-only", user))
            asked |= {name: version for name, version in found.items() if name in has}
    return asked


def write_stub(library: Path, symbols: Symbols) -> None:
    """Write an empty library of the same name, with these symbols in their versions."""
    functions = "".join(f'void {name}(void) {{ end("{name}"); }}\n' for name in sorted(symbols))
    by_version = defaultdict(list)
    for name, version in symbols.items():
        by_version[version].append(name)
    versions = "".join(
        f"{version} {{ global: {'; '.join(sorted(names))}; }};\n"
        for version, names in sorted(by_version.items())
        if version
    )
    with tempfile.TemporaryDirectory() as folder:
        source, script = Path(folder, "stub.c"), Path(folder, "stub.map")
        source.write_text(_HEAD + functions)
        script.write_text(versions + "local_only { local: end; };\n")
        command = ["cc", "-shared", "-fPIC", "-O2", "-fno-builtin", "-w", "-s"]
        command += [f"-Wl,-soname,{library.name}", f"-Wl,--version-script,{script}"]
        library.unlink()
        subprocess.run([*command, "-o", str(library), str(source)], check=True)


_HEAD = """
#include <stdlib.h>
#include <unistd.h>
#include <string.h>
static void end(const char *name) {
    static const char text[] = " was called, but is not in this image\\n";
    if (write(2, name, strlen(name)) < 0 || write(2, text, sizeof text - 1) < 0) {}
    abort();
}
"""


def _symbols(kind: str, library: Path) -> Iterator[tuple[str, str]]:
    for line in _output("nm", "--dynamic", kind, str(library)).splitlines():
        found = _SYMBOL.search(line)
        if found:
            yield found["name"], found["version"] or ""


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    stub(Path(sys.argv[1]))
