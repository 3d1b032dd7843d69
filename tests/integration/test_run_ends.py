"""How `imagemill run` ends when it is stopped, or when its engine dies: real processes."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.photographs import cut
from tests.helpers.tool import IMAGEMILL
from tests.helpers.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.engine

COUNT = 1500
TOKEN = b"IMAGEMILL_ENGINE_TOKEN="


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """More than one core does in the time of a test: links to one picture."""
    folder = tmp_path_factory.mktemp("many")
    (folder / "0.jpg").write_bytes(cut(1, scale=8))
    for number in range(1, COUNT):
        (folder / f"{number}.jpg").hardlink_to(folder / "0.jpg")
    return folder


@pytest.fixture
def run(photos: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [str(IMAGEMILL), "run", str(photos), str(tmp_path / "out"), "--vcpus", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    yield process
    process.kill()
    process.communicate()


def engine_of(run: subprocess.Popen[str]) -> int | None:
    """The process of the engine that a run has started."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if parent == run.pid and b"imagemill_engine.server" in command:
            return int(folder.name)
    return None


def descendants(token: bytes) -> list[int]:
    """Every process that was started under the engine of that token, the engine as well."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if token in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def token_of(engine: int) -> bytes:
    environment = Path(f"/proc/{engine}/environ").read_bytes().split(b"\0")
    return next(item for item in environment if item.startswith(TOKEN))


def started_engine(run: subprocess.Popen[str]) -> int:
    engine = until(lambda: engine_of(run), "the run has an engine")
    assert engine is not None
    return engine


def wait_until_some_are_resized(out: Path) -> None:
    until(lambda: sum(1 for _ in out.glob("resized/*")) > 50, "pictures are resized")


def test_ctrl_c_says_what_was_done_and_leaves_no_process(
    run: subprocess.Popen[str], tmp_path: Path
) -> None:
    token = token_of(started_engine(run))
    wait_until_some_are_resized(tmp_path / "out")
    os.killpg(run.pid, signal.SIGINT)
    _, said = run.communicate(timeout=PATIENCE_SECONDS)
    assert run.returncode == 130
    first, second = said.splitlines()
    assert first.startswith("Stopped")
    assert second == "Run the same command again to go on."
    assert descendants(token) == []
    assert not list((tmp_path / "out").glob("runs/*/report.json"))


@pytest.mark.parametrize("moment", ["while the stack is deployed", "while jobs run"])
def test_death_of_the_engine_is_one_sentence_that_says_what_to_do(
    run: subprocess.Popen[str], tmp_path: Path, moment: str
) -> None:
    engine = started_engine(run)
    token = token_of(engine)
    if moment == "while jobs run":
        wait_until_some_are_resized(tmp_path / "out")
    os.kill(engine, signal.SIGKILL)
    _, said = run.communicate(timeout=PATIENCE_SECONDS)
    assert run.returncode == 1
    sentence = "The engine was killed by SIGKILL. Run the same command again to go on."
    assert said == f"imagemill: {sentence}\n"
    assert descendants(token) == []
