from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from imagemill.commands.compact import compact_dataset
from imagemill.commands.verify import verify_dataset
from imagemill.errors import UsageError
from imagemill.output_lock import LOCK_FILE, Lock, output_lock
from imagemill_contract.source_keys import may_be_picture

HOLDER = """
import sys
from pathlib import Path
from imagemill.output_lock import output_lock
with output_lock(Path(sys.argv[1])) as lock:
    print(lock.name, flush=True)
    sys.stdin.read()
"""


def holder(out: Path) -> subprocess.Popen[str]:
    """Another process that holds the lock until it is killed."""
    command = [sys.executable, "-c", HOLDER, str(out)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "HELD\n"
    return process


def test_folder_is_locked_once_and_free_as_soon_as_its_holder_is_dead(tmp_path: Path) -> None:
    other = holder(tmp_path)
    with other:
        with output_lock(tmp_path) as lock:
            assert lock is Lock.TAKEN
        other.kill()
    with output_lock(tmp_path) as lock:
        assert lock is Lock.HELD
    with output_lock(tmp_path) as lock:
        assert lock is Lock.HELD


def test_folder_that_is_not_there_has_no_lock(tmp_path: Path) -> None:
    with output_lock(tmp_path / "absent") as lock:
        assert lock is Lock.NONE


def test_lock_is_no_picture() -> None:
    assert not may_be_picture(LOCK_FILE)


def test_dataset_is_not_compacted_while_a_run_goes_on(tmp_path: Path) -> None:
    other = holder(tmp_path)
    with other:
        with pytest.raises(UsageError, match=r"a run into .* is going on"):
            compact_dataset(str(tmp_path), as_json=False)
        other.kill()


@pytest.mark.parametrize(
    "upkeep", [partial(compact_dataset, as_json=False), partial(verify_dataset, repair=True)]
)
def test_lock_is_that_of_the_results_also_for_their_dataset(
    upkeep: Callable[..., None], tmp_path: Path
) -> None:
    for name in ("dataset", "index"):
        (tmp_path / name).mkdir()
    other = holder(tmp_path)
    with other:
        with pytest.raises(UsageError, match=r"a run into .* is going on"):
            upkeep(str(tmp_path / "dataset"))
        other.kill()
    assert not (tmp_path / "dataset" / LOCK_FILE).exists()
