"""`verify --repair` removes what nobody needs and lets go what is damaged, and nothing else."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from imagemill_contract import keys
from imagemill_dataset.index import Index
from imagemill_dataset.names import shard_tag
from imagemill_worker.dataset import leftovers as leftovers_module
from imagemill_worker.dataset.compact import compact
from imagemill_worker.dataset.store import DatasetStore
from imagemill_worker.dataset.verify import repair, verify
from imagemill_worker.errors import ArgumentsError, TryAgainError
from imagemill_worker.stores.store import Store
from tests.helpers.datasets import Dataset
from tests.helpers.outputs import Output, output_of
from tests.helpers.pictures import jpeg

RUNNING = threading.Event()
ORPHAN = f"dataset/images-train-{shard_tag('run-9', '00000')}-0000.tar"
LEFT = {
    ORPHAN: b"a shard of a run that was stopped",
    "dataset/images-train-compact-0badcafe-0000.parquet": b"a shard of a compaction that was",
    "intermediate/run-9/00000/0000.tar": b"pictures",
    "journal/run-9/resize/00000/0001.jsonl.gz": b"page",
}
PART = f"resized/a/.{'0123456789ab' * 2}.part"
OTHERS = {
    "dataset/of-a-person.tar": b"not ours",
    "dataset/labels/00000000.json": b'{"v": 1, "classes": ["wolf"]}',
    "resized/a/b.jpg": b"a picture",
    "resized/a/.hidden.part": b"of a person",
    "runs/run-9/report.json": b"{}",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Ten pictures, of which two have changed, in four shards."""
    dataset = Dataset(tmp_path_factory.mktemp("made"))
    dataset.recipe |= {"split": {"train": 0.6, "validation": 0.4}}
    dataset.run({f"{n}.jpg": jpeg(64 + n, 48) for n in range(8)})
    dataset.run({f"{n}.jpg": jpeg(90 + n, 48) for n in range(6, 10)})
    return dataset


@pytest.fixture(params=["folder", "s3"])
def output(
    request: pytest.FixtureRequest, tmp_path: Path, made: Dataset, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Output]:
    with output_of(request.param, tmp_path, monkeypatch) as output:
        output.copy(made.output)
        yield output


def put_left(output: Output) -> None:
    for key, body in {**LEFT, **OTHERS}.items():
        output.put(key, body)


def index_of(output: Output) -> Index:
    return DatasetStore.open(output.address).read_index()


def events(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_what_is_left_is_named_and_stays_until_it_is_repaired(
    output: Output, capsys: pytest.CaptureFixture[str]
) -> None:
    put_left(output)
    before = output.bodies()
    assert verify(output.address, RUNNING)
    *left, found = events(capsys)
    assert {event["name"] for event in left} == {
        *(key for key in LEFT if key.startswith("dataset/")),
        "intermediate/run-9/",
        "journal/run-9/",
    }
    assert (found["leftovers"], found["unnamed"], found["open"]) == (4, 3, [])
    assert output.bodies() == before
    assert repair(output.address, RUNNING, force=False)
    assert output.bodies() == {key: body for key, body in before.items() if key not in LEFT}
    events(capsys)
    assert verify(output.address, RUNNING)
    (found,) = events(capsys)
    assert (found["leftovers"], found["unnamed"]) == (0, 1)


def test_files_that_a_killed_writer_has_never_finished_go(
    made: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with output_of("folder", tmp_path, monkeypatch) as output:
        output.copy(made.output)
        put_left(output)
        output.put(PART, b"half")
        output.put(f"index/.{'f' * 24}.part", b"half a part of the index")
        assert repair(output.address, RUNNING, force=False)
        keys_left = set(output.bodies())
        assert {key for key in keys_left if ".part" in key} == {"resized/a/.hidden.part"}
        assert set(OTHERS) <= keys_left


def test_open_run_is_not_disturbed_unless_it_is_forced(
    output: Output, capsys: pytest.CaptureFixture[str]
) -> None:
    put_left(output)
    marker = keys.open_run_key("run-9")
    output.put(marker, b"{}")
    before = output.bodies()
    with pytest.raises(ArgumentsError) as refused:
        repair(output.address, RUNNING, force=False)
    assert str(refused.value) == (
        "run-9 has no report yet. Wait for the end; if it was stopped, start the next run, which "
        "takes over what it has done, or repair with --force, which forgets that."
    )
    assert output.bodies() == before
    events(capsys)
    assert verify(output.address, RUNNING)
    *left, found = events(capsys)
    assert [event["name"] for event in left] == [
        "dataset/images-train-compact-0badcafe-0000.parquet"
    ]
    assert found["open"] == ["run-9"]
    assert repair(output.address, RUNNING, force=True)
    gone = {*LEFT, marker}
    assert output.bodies() == {key: body for key, body in before.items() if key not in gone}


def test_damaged_shard_goes_with_its_rows_and_the_dataset_is_whole_again(
    output: Output, capsys: pytest.CaptureFixture[str]
) -> None:
    before = index_of(output)
    damaged, gone = sorted(before.living_samples())[:2]
    body = bytearray(output.body(damaged))
    body[len(body) // 2] ^= 1
    output.put(damaged, bytes(body))
    DatasetStore.open(output.address).remove([gone])
    lost = before.living_samples()[damaged] + before.living_samples()[gone]
    assert not repair(output.address, RUNNING, force=False)
    *named, found = events(capsys)
    assert [event["shard"] for event in named if event["event"] == "damaged"] == [damaged, gone]
    assert (found["damaged"], found["lost"]) == (2, lost)
    after = index_of(output)
    assert after.entries == {
        name: entry
        for name, entry in before.entries.items()
        if entry.place and entry.place.shard not in (damaged, gone)
    }
    assert {damaged, gone}.isdisjoint({*after.shards, *output.keys()})
    card = json.loads(output.body(keys.DATASET_CARD))
    assert card["samples"] == len(after.entries)
    assert verify(output.address, RUNNING)


def test_dataset_that_is_damaged_as_a_whole_is_empty_then(output: Output) -> None:
    for key in index_of(output).shards:
        output.put(key, b"")
    assert not repair(output.address, RUNNING, force=False)
    assert index_of(output).entries == {}
    assert output.keys("dataset/images-") == []


def test_bit_that_flips_on_its_way_is_no_damage(
    output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch_file, fetched = Store.fetch_file, []

    def flipped_once(store: Store, key: str, file: Any) -> None:
        fetch_file(store, key, file)
        if key not in fetched:
            file.seek(100)
            file.write(b"?")
        fetched.append(key)

    monkeypatch.setattr(Store, "fetch_file", flipped_once)
    before = output.bodies()
    assert repair(output.address, RUNNING, force=False)
    assert output.bodies() == before
    assert len(fetched) == 2 * len(set(fetched))


def test_folder_of_the_dataset_leads_to_its_output(
    output: Output, capsys: pytest.CaptureFixture[str]
) -> None:
    put_left(output)
    address = output.address.rstrip("/") + "/dataset"
    assert verify(address, RUNNING)
    assert events(capsys)[-1]["samples"] == 12
    assert repair(address, RUNNING, force=False)
    compact(address, RUNNING)
    assert len(index_of(output).shards) == 2


def test_first_run_that_was_stopped_can_be_repaired(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with output_of("folder", tmp_path, monkeypatch) as output:
        put_left(output)
        assert repair(output.address, RUNNING, force=False)
        assert output.keys() == sorted(OTHERS)
        with pytest.raises(ArgumentsError, match="There are no dataset shards"):
            repair(output.address, RUNNING, force=False)
        assert output.keys() == sorted(OTHERS)


class RunBeside:
    """The last run of a dataset, taken back to its beginning; it goes on step by step.

    Each listing and each reading of the store is followed by more of its steps.
    """

    def __init__(self, output: Output, finished: int, first_call: int, pace: int) -> None:
        """`finished` steps are done already; `pace` more come after each call from `first_call`."""
        self.output, self.bodies = output, output.bodies()
        self.part = output.keys(keys.INDEX)[-1]
        self.run_id = self.part.removesuffix(".jsonl.gz").partition("Z-")[2]
        tag = shard_tag(self.run_id, "00000")
        self.shards = [key for key in self.bodies if f"-{tag}-" in key]
        self.marker = keys.open_run_key(self.run_id)
        self.intermediate = keys.intermediate_key(self.run_id, "00000", "0")
        self.remove(self.part, *self.shards)
        self.steps: Iterator[Callable[[], None]] = iter(
            [
                lambda: output.put(self.marker, b"{}"),
                lambda: output.put(self.intermediate, b"tar"),
                *(partial(self.put, key) for key in self.shards),
                lambda: self.put(self.part),
                lambda: self.remove(self.intermediate),
                lambda: self.remove(self.marker),
            ]
        )
        for _ in range(finished):
            self.go_on()
        self.calls_left, self.pace, self.is_within = first_call, pace, False

    def put(self, key: str) -> None:
        self.output.put(key, self.bodies[key])

    def remove(self, *gone: str) -> None:
        DatasetStore.open(self.output.address).remove(gone)

    def go_on(self) -> bool:
        step = next(self.steps, None)
        if step:
            step()
        return step is not None

    def after(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any) -> Any:
            found = original(*arguments)
            if not self.is_within:
                self.is_within = True
                self.calls_left -= 1
                for _ in range(self.pace if self.calls_left <= 0 else 0):
                    self.go_on()
                self.is_within = False
            return found

        return called


@pytest.mark.parametrize("pace", [1, 9])
@pytest.mark.parametrize("finished", range(6))
def test_run_that_comes_and_goes_meanwhile_keeps_its_shards(
    finished: int, pace: int, made: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for first_call in range(1, 10):
        (tmp_path / str(first_call)).mkdir()
        with output_of("folder", tmp_path / str(first_call), monkeypatch) as output:
            output.copy(made.output)
            run = RunBeside(output, finished, first_call, pace)
            with monkeypatch.context() as patch, suppress(ArgumentsError):  # the run was seen
                for name in ("keys", "read"):
                    patch.setattr(DatasetStore, name, run.after(getattr(DatasetStore, name)))
                repair(output.address, RUNNING, force=False)
            while run.go_on():
                pass
            assert set(run.shards) <= set(output.keys())
            assert verify(output.address, RUNNING)
            assert len(index_of(output).entries) == 10


def test_verification_beside_a_compaction_calls_nothing_damaged(
    output: Output, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = leftovers_module.Leftovers.without

    def compacted_first(*arguments: Any) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(leftovers_module.Leftovers, "without", found)
            compact(output.address, RUNNING)
        return found(*arguments)

    monkeypatch.setattr(leftovers_module.Leftovers, "without", compacted_first)
    with pytest.raises(TryAgainError, match="The index was rewritten meanwhile"):
        verify(output.address, RUNNING)
    assert '"event": "verified"' not in capsys.readouterr().out
