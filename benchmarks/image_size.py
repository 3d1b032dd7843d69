"""What the worker image holds, by size: installed, stripped and compiled as its Dockerfile does.

    python -m benchmarks.image_size PYTHON

PYTHON is a Python 3.13, as in the image. Without Docker the base image cannot be measured.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections import Counter
from importlib.metadata import Distribution, distributions
from pathlib import Path

from strip_packages import strip, unneeded

ROOT = Path(__file__).parents[1]
MEGABYTE = 1_000_000
LEAST_SHOWN_BYTES = 2 * MEGABYTE


def installed(python: str, folder: Path) -> Path:
    """An environment as the image has it; returns its folder of packages."""
    venv = folder / "worker"
    subprocess.run([python, "-m", "venv", "--without-pip", str(venv)], check=True)
    new_python = str(venv / "bin" / "python")
    install = [python, "-m", "pip", "--python", new_python, "install", "--quiet", "--no-compile"]
    install += ["--disable-pip-version-check", "--only-binary", ":all:"]
    install += ["-r", str(ROOT / "batch_worker" / "requirements.txt")]
    install += ["-c", str(ROOT / "requirements" / "constraints.txt")]
    subprocess.run(install, check=True)
    (packages,) = venv.glob("lib/python3*/site-packages")
    strip(packages)
    subprocess.run([new_python, "-m", "compileall", "-q", str(packages)], check=True)
    return packages


def sizes(packages: Path) -> Counter[str]:
    """Bytes by distribution; all of a folder counts for the one that owns it."""
    owners: dict[str, str] = {}
    for found in distributions(path=[str(packages)]):
        owners |= {name: found.name for name in top_level_names(found)}
    result: Counter[str] = Counter()
    for path in packages.rglob("*"):
        if path.is_file():
            top = path.relative_to(packages).parts[0]
            result[owners.get(top, "other")] += path.stat().st_size
    return result


def sizes_of_packages(packages: Path, requirements: Path) -> Counter[str]:
    """Bytes that each package of a list, and what it needs, takes in the image.

    `packages` may hold others, too. A Python file counts twice, as the image has it compiled, too.
    """
    left_out = set(unneeded(packages))
    result: Counter[str] = Counter()
    for found in needed(packages, requirements):
        for file in found.files or ():
            path = packages / file
            is_there = path.is_file() and path.suffix != ".pyc" and ".." not in file.parts
            if is_there and not left_out & {path, *path.parents}:
                result[found.name] += path.stat().st_size * (2 if path.suffix == ".py" else 1)
    return result


def needed(packages: Path, requirements: Path) -> list[Distribution]:
    """The distributions of a list, with those that they need, of all that are installed."""
    installed_here = {plain(one.name): one for one in distributions(path=[str(packages)])}
    lines = requirements.read_text().splitlines()
    waiting = [plain(line) for line in lines if line and not line.startswith("#")]
    found: dict[str, Distribution] = {}
    while waiting:
        name = waiting.pop()
        if name in installed_here and name not in found:
            found[name] = installed_here[name]
            asked = (one for one in found[name].requires or () if "extra ==" not in one)
            waiting += map(plain, asked)
    return list(found.values())


def plain(requirement: str) -> str:
    """The name in a requirement, as all spell it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement.strip())[0]).lower()


def top_level_names(found: Distribution) -> set[str]:
    """Files and folders of a distribution directly below the folder of packages."""
    return {re.split(r"[/\\]", str(file))[0] for file in found.files or ()}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = sizes(installed(sys.argv[1], Path(folder)))
    shown = [(name, size) for name, size in found.most_common() if size >= LEAST_SHOWN_BYTES]
    print("| package | MB |\n|---|---|")
    for name, size in shown:
        print(f"| {name} | {size / MEGABYTE:.0f} |")
    print(f"| others | {(found.total() - sum(size for _, size in shown)) / MEGABYTE:.0f} |")
    print(f"| **in all** | **{found.total() / MEGABYTE:.0f}** |")


if __name__ == "__main__":
    main()
