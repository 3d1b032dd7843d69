"""What the worker image holds, by size: put together as its Dockerfile does.

    python -m benchmarks.image_size PYTHON

PYTHON is a Python 3.13, as in the image; its libraries are stripped of symbols, as those of the
image are. Needs root, a C compiler and binutils, and no Docker.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path

ROOT = Path(__file__).parents[1]
SCRIPTS = ROOT / "batch_worker"
MEGABYTE = 1_000_000
LEAST_SHOWN_BYTES = 2 * MEGABYTE


def installed(python: str, folder: Path) -> Path:
    """An environment as the image has it."""
    venv = folder / "worker"
    subprocess.run([python, "-m", "venv", "--without-pip", str(venv)], check=True)
    new_python = str(venv / "bin" / "python")
    install = [python, "-m", "pip", "--python", new_python, "install", "--quiet", "--no-compile"]
    install += ["--disable-pip-version-check", "--only-binary", ":all:"]
    install += ["-r", str(ROOT / "batch_worker" / "requirements.txt")]
    install += ["-c", str(ROOT / "requirements" / "constraints.txt")]
    subprocess.run(install, check=True)
    (packages,) = venv.glob("lib/python3*/site-packages")
    for script in ("strip_packages.py", "stub_libraries.py"):
        subprocess.run([python, str(SCRIPTS / script), str(packages)], check=True)
    return venv


def put_together(python: str, venv: Path, root: Path) -> None:
    """The files of the image, below `root`."""
    root.mkdir()
    for name in ("contract/imagemill_contract", "contract/imagemill_dataset"):
        shutil.copytree(ROOT / name, venv / "app" / Path(name).name)
    shutil.copytree(SCRIPTS / "imagemill_worker", venv / "app" / "imagemill_worker")
    subprocess.run([python, str(SCRIPTS / "image_root.py"), str(venv), str(root)], check=True)
    for path in [*root.rglob("lib/libpython3*"), *root.rglob("lib-dynload/*.so")]:
        subprocess.run(["/usr/bin/strip", "--strip-unneeded", str(path)], check=True)
    subprocess.run([python, "-m", "compileall", "-q", str(root)], check=True)


def sizes(root: Path, packages: Path) -> Counter[str]:
    """Bytes by distribution; what is in none is Python's, the worker's or the system's."""
    owners: dict[str, str] = {}
    for found in distributions(path=[str(packages)]):
        owners |= {name: found.name for name in top_level_names(found)}
    result: Counter[str] = Counter()
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink():
            result[owner_of(path.relative_to(root).parts, owners)] += path.stat().st_size
    return result


def owner_of(parts: tuple[str, ...], owners: Mapping[str, str]) -> str:
    """Whose a file is, by its path below the image's root."""
    if "site-packages" in parts:
        return owners.get(parts[parts.index("site-packages") + 1], "other packages")
    if "app" in parts:
        return "the worker and its contract"
    if any(part.startswith(("python3", "libpython3")) for part in parts):
        return "Python and its library"
    return "glibc, OpenSSL, certificates and other libraries of Debian"


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
        python, root = sys.argv[1], Path(folder, "image")
        venv = installed(python, Path(folder))
        put_together(python, venv, root)
        (packages,) = venv.glob("lib/python3*/site-packages")
        found = sizes(root, packages)
    shown = [(name, size) for name, size in found.most_common() if size >= LEAST_SHOWN_BYTES]
    print("| what | MB |\n|---|---|")
    for name, size in shown:
        print(f"| {name} | {size / MEGABYTE:.0f} |")
    print(f"| others | {(found.total() - sum(size for _, size in shown)) / MEGABYTE:.0f} |")
    print(f"| **in all** | **{found.total() / MEGABYTE:.0f}** |")


if __name__ == "__main__":
    main()
