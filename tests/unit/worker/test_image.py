"""The image of the jobs, by its Dockerfile: what it holds, who runs in it, what it may write."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import numpy
import pytest
from strip_packages import AWS_SERVICES, strip, unneeded

from imagemill.local_stack import worker_environment

ROOT = Path(__file__).parents[3]
PACKAGES = Path(numpy.__file__).parents[1]


def instructions(text: str) -> list[tuple[str, str]]:
    """Each instruction of a Dockerfile with its arguments, lines joined and comments left out."""
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    joined = re.sub(r"\\\n\s*", "", lines)
    words = (line.partition(" ") for line in joined.splitlines() if line.strip())
    return [(name, rest.strip()) for name, _, rest in words]


DOCKERFILE = instructions((ROOT / "batch_worker" / "Dockerfile").read_text())


def last_stage() -> list[tuple[str, str]]:
    starts = [at for at, (name, _) in enumerate(DOCKERFILE) if name == "FROM"]
    return DOCKERFILE[starts[-1] :]


def test_the_image_has_no_base_and_the_stage_that_builds_it_a_fixed_version() -> None:
    bases = [rest.split()[0] for name, rest in DOCKERFILE if name == "FROM"]
    assert bases == ["python:3.13", "scratch"]


def test_nothing_is_compiled_and_every_version_is_fixed() -> None:
    (install,) = [rest for name, rest in DOCKERFILE if name == "RUN" and " install " in rest][:1]
    assert "--only-binary :all:" in install
    assert "-c /tmp/constraints.txt" in install
    for line in (ROOT / "batch_worker" / "requirements.txt").read_text().splitlines():
        assert line.startswith("#") or "==" in line


def test_jobs_run_as_nobody_and_write_to_the_scratch_volume_alone() -> None:
    stage = last_stage()
    (user,) = [rest for name, rest in stage if name == "USER"]
    assert user == "65534:65534"
    (volume,) = [rest for name, rest in stage if name == "VOLUME"]
    assert volume == "/scratch"
    assert f"WORKDIR {volume}" in {f"{name} {rest}" for name, rest in stage}
    (variables,) = [rest for name, rest in stage if name == "ENV"]
    assert "TMPDIR=/scratch" in variables.split()
    assert "PYTHONDONTWRITEBYTECODE=1" in variables.split()
    names = [name for name, _ in stage]
    assert names.index("USER") < names.index("RUN"), "what is tried is tried as nobody"


def test_the_image_that_runs_gets_what_was_put_together_for_it_and_nothing_else() -> None:
    copied = [rest for name, rest in last_stage() if name == "COPY"]
    assert copied == ["--from=build /image /"]
    assert any("image_root.py /opt/worker /image" in rest for name, rest in DOCKERFILE)
    assert not any(name in {"ADD", "SHELL"} for name, _ in DOCKERFILE)
    given = [rest for name, rest in DOCKERFILE if name == "ARG"]
    assert given == ["BUILDPLATFORM TARGETPLATFORM"], "which BuildKit sets by itself"
    assert not re.search(r"(?i)(secret|password|token|access_key)", str(DOCKERFILE))


def test_the_image_is_tried_while_it_is_built() -> None:
    runs = [rest for name, rest in last_stage() if name == "RUN"]
    assert runs == ['["/opt/worker/bin/python", "-m", "try_image"]']


def test_the_command_is_no_shell() -> None:
    (command,) = [rest for name, rest in last_stage() if name == "CMD"]
    assert command.startswith('["python", "-m", "imagemill_worker"')


def sent_to_the_build() -> Iterator[str]:
    """What `.dockerignore` lets through: its last rule that matches a path decides."""
    rules = [
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert rules[0] == "*"
    opened = [rule[1:] for rule in rules if rule.startswith("!")]
    closed = [rule.removeprefix("**/") for rule in rules[1:] if not rule.startswith("!")]
    for start in opened:
        for path in [ROOT / start, *(ROOT / start).rglob("*")]:
            is_closed = any(fnmatch(part, rule) for part in path.parts for rule in closed)
            if path.is_file() and not is_closed:
                yield str(path.relative_to(ROOT))


def test_the_build_is_sent_the_sources_of_the_image_and_nothing_else() -> None:
    sent = set(sent_to_the_build())
    copied = {
        word.rstrip("/")
        for name, rest in DOCKERFILE
        if name == "COPY" and "--from" not in rest
        for word in rest.split()[:-1]
    }
    assert all((ROOT / path).exists() for path in copied)
    for path in copied:
        assert path in sent or any(name.startswith(f"{path}/") for name in sent), path
    assert {path.partition("/")[0] for path in sent} == {"batch_worker", "contract", "requirements"}
    assert not any("__pycache__" in path for path in sent)


def test_only_what_no_job_loads_is_stripped(tmp_path: Path) -> None:
    kept = ["botocore/data/s3/service.json", "botocore/data/endpoints.json", "numpy/core.py"]
    gone = ["botocore/data/ec2/service.json", "numpy/lib/tests/a.py", "cv2/a.pyi", "cv2/data/b.xml"]
    kept += ["cv2/data/__init__.py", "pillow.libs/libtiff-1.so", "numpy/typing/__init__.py"]
    gone += ["pillow.libs/libfreetype-1.so", "PIL/_imagingft.so", "numpy/random/__init__.py"]
    for name in kept + gone:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")

    strip(tmp_path)

    found = [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(found) == sorted(kept)


def test_jobs_ask_for_no_service_whose_model_is_stripped() -> None:
    sources = (ROOT / "batch_worker" / "imagemill_worker").rglob("*.py")
    asked = {
        name
        for path in sources
        for name in re.findall(r"""client\(\s*["'](\w+)["']""", path.read_text())
    }
    assert asked == {"s3"}
    assert asked <= AWS_SERVICES


# Prints which files a worker that has imported all of its modules has loaded, libraries as well.
LOADED = """
import importlib, pkgutil, sys
import imagemill_worker
for module in pkgutil.walk_packages(imagemill_worker.__path__, "imagemill_worker."):
    if "__main__" not in module.name and not module.name.startswith("imagemill_worker.model"):
        importlib.import_module(module.name)
import PIL.Image
PIL.Image.init()
files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
print(*files - {None}, sep="\\n")
print(*{line.split()[-1] for line in open("/proc/self/maps") if ".so" in line}, sep="\\n")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc, as jobs run on Linux")
def test_nothing_that_a_worker_has_loaded_is_stripped() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", LOADED],
        env={**os.environ, **worker_environment()},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {Path(line) for line in ended.stdout.splitlines()}
    assert any(path.name.startswith("cv2.abi3") for path in loaded)
    stripped = set(unneeded(PACKAGES))
    assert stripped
    assert not {path for path in loaded if stripped & {path, *path.parents}}
