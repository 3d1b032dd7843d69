"""One attempt of a model job: its documents are read, its network is run, its outcomes written."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from imagemill_contract import keys
from imagemill_contract.documents import Shard, SourceObject, decode_outcomes, encode_outcomes
from imagemill_contract.errors import ContractError
from imagemill_contract.keys import Stage
from imagemill_contract.locations import split_object_address
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_worker.errors import ArgumentsError, StoreRefusedError, TryAgainError
from imagemill_worker.journal import Journal
from imagemill_worker.lanes.tasks import Task, check_rows, result_key
from imagemill_worker.meter import Meter
from imagemill_worker.model.keeping import Keeping
from imagemill_worker.model.model_files import ModelFiles, model_files
from imagemill_worker.model.model_job import ModelJob
from imagemill_worker.model.network import Network, open_network
from imagemill_worker.progress import Progress, cpu_seconds
from imagemill_worker.stores.opening import open_store, patience_seconds
from imagemill_worker.stores.store import Store
from imagemill_worker.stores.weather import Weather


@dataclass(slots=True)
class ModelAttempt:
    """What the command line says.

    Attributes:
        address: Of the shard document.
        gpu: Whether the network runs on a GPU.
        vcpus: Threads of the network on the CPU.
        threads: Pictures that are read, decoded, encoded or written at once.
        stopping: Set from outside when the attempt must end.
    """

    address: str
    gpu: bool
    vcpus: int
    threads: int
    stopping: threading.Event
    _weather: Weather = field(init=False)

    def __post_init__(self) -> None:
        self._weather = Weather(self.threads, patience_seconds(), self.stopping)

    def run(self) -> None:
        """Write a result for each picture, then the outcome document.

        If it ends early, its journal says why: nothing else of it, since a network is quick.

        Raises:
            ArgumentsError: The documents are missing or wrong, or the model is.
            TryAgainError: The store cannot be reached, the network failed, or `stopping` is set.
            StoreRefusedError: The job may not read or write there.
        """
        began = time.monotonic()
        shard, store, resized = self.opened()
        names: dict[str, object] = {
            "run_id": shard.run_id,
            "stage": str(Stage.MODEL),
            "shard_id": shard.shard_id,
        }
        progress = Progress(names, len(resized))
        meter = Meter(self.vcpus, store, progress)
        journal = Journal.read(store, shard, Stage.MODEL)
        journal.usage = meter.usage
        progress.log("start", model_sha256=shard.recipe.model_sha256)
        try:
            with model_files(store, shard, resized) as files:
                job = self.job(files, resized, progress)
                outcomes = files.put_away(job.run(), job.spooled)
            meter.write_usage(shard, Stage.MODEL, journal.used)
            _write_document(shard, store, names, outcomes)
        except (TryAgainError, StoreRefusedError, ArgumentsError, ContractError) as error:
            journal.write(last_words=str(error))
            raise
        journal.remove()
        progress.log()
        seconds = time.monotonic() - began
        progress.log("end", seconds=round(seconds, 3), cpu_seconds=round(cpu_seconds(), 3))
        progress.log_metrics(meter.usage())

    def opened(self) -> tuple[Shard, Store, list[Outcome]]:
        """The shard, the store of its results, and what the resize job did. Raises as `run`."""
        try:
            location, key = split_object_address(self.address, "--shard")
            documents = open_store(location, weather=self._weather)
            shard = Shard.decode(documents.read_document(key, "shard"))
            if Stage.MODEL not in keys.stages_of(shard.recipe):
                raise ArgumentsError(f"The recipe has no stage {Stage.MODEL}.")
            store = open_store(shard.output, weather=self._weather)
            name = keys.outcome_key(shard.run_id, Stage.RESIZE, shard.shard_id)
            body = store.read_document(shard.output.prefix + name, "resize outcome")
            _, outcomes = decode_outcomes(body)
            check_rows(shard, outcomes)
        except ContractError as error:
            raise ArgumentsError(str(error)) from error
        return shard, store, outcomes

    def job(self, files: ModelFiles, resized: Sequence[Outcome], progress: Progress) -> ModelJob:
        """What is to be done, and the network that does it. Raises as `run` does."""
        shard = files.shard
        return ModelJob(
            files.source,
            files.sink,
            self._network(shard),
            Keeping.of(shard.recipe.keep_if),
            list(_rows(shard, resized, files.offsets)),
            self.threads,
            progress,
            self.stopping,
        )

    def _network(self, shard: Shard) -> Network:
        """The network of the shard's recipe. Raises as `run` does."""
        location, key = split_object_address(shard.recipe.model, "recipe.model")
        body = open_store(location, weather=self._weather).read_document(key, "model")
        return open_network(body, shard.recipe, gpu=self.gpu, threads=self.vcpus)


def _rows(
    shard: Shard, outcomes: Sequence[Outcome], offsets: Sequence[int]
) -> Iterator[Task | Outcome]:
    for row, offset in zip(outcomes, offsets or [0] * len(outcomes), strict=True):
        if row.status is not Status.WRITTEN or row.output_key is None:
            detail = "There is no resized picture for the model."
            yield Outcome(row.key, Status.SKIPPED, Reason.NO_RESIZED_IMAGE, detail)
            continue
        read = SourceObject(row.output_key, "", row.output_bytes)
        key = result_key(Stage.MODEL, shard, row.key, shard.recipe)
        yield Task(row.key, read, key, row.sha256, offset)


def _write_document(
    shard: Shard, store: Store, names: dict[str, object], outcomes: Sequence[Outcome]
) -> None:
    recipe = shard.recipe
    header = {
        **names,
        "planned": len(outcomes),
        "model_sha256": recipe.model_sha256,
        "model_output": str(recipe.model_output),
    }
    key = shard.output.prefix + keys.outcome_key(shard.run_id, Stage.MODEL, shard.shard_id)
    store.write_document(key, encode_outcomes(header, outcomes))
