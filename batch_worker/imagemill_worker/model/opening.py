"""Reads what a model job needs: the shard, what was resized of it, and the network."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from imagemill_contract import keys
from imagemill_contract.documents import Shard, SourceObject, decode_outcomes
from imagemill_contract.errors import ContractError
from imagemill_contract.keys import ModelOutput, Stage
from imagemill_contract.locations import split_object_address
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_worker.errors import ArgumentsError
from imagemill_worker.lanes.tasks import Task, check_rows
from imagemill_worker.model.model_job import ModelJob
from imagemill_worker.model.network import Network, open_network
from imagemill_worker.stores.opening import open_store, patience_seconds
from imagemill_worker.stores.weather import Weather


@dataclass(frozen=True, slots=True)
class ModelArguments:
    """What the command line says.

    Attributes:
        shard: Address of the shard document.
        model: Address of an ONNX file.
        preprocessing: A JSON text; empty for what the model's metadata say.
        vcpus: Threads of the network on the CPU.
        threads: Pictures that are read, decoded, encoded or written at once.
    """

    shard: str
    model: str
    output: ModelOutput
    preprocessing: str = ""
    gpu: bool = False
    vcpus: int = 1
    threads: int = 32


def open_model_job(arguments: ModelArguments, stopping: threading.Event) -> ModelJob:
    """Read the documents of a job, and its network.

    Raises:
        ArgumentsError: They are missing or wrong, or do not fit together.
        TryAgainError: The store cannot be reached.
        StoreRefusedError: The job may not read them.
    """
    try:
        weather = Weather(arguments.threads, patience_seconds(), stopping)
        location, key = split_object_address(arguments.shard, "--shard")
        shard = Shard.decode(open_store(location, weather=weather).read_document(key, "shard"))
        if shard.recipe.is_packed:
            raise ArgumentsError(
                f"The model stage reads resized pictures from files, but the run's output is "
                f"{shard.recipe.output}."
            )
        network = _network(arguments, weather)
        store = open_store(shard.output, weather=weather)
        name = shard.output.prefix + keys.outcome_key(shard.run_id, Stage.RESIZE, shard.shard_id)
        _, outcomes = decode_outcomes(store.read_document(name, "resize outcome"))
        check_rows(shard, outcomes)
    except ContractError as error:
        raise ArgumentsError(str(error)) from error
    rows = list(_rows(shard, outcomes, arguments.output))
    return ModelJob(shard, store, network, rows, arguments.threads, stopping)


def _network(arguments: ModelArguments, weather: Weather) -> Network:
    location, key = split_object_address(arguments.model, "--model")
    body = open_store(location, weather=weather).read_document(key, "model")
    return open_network(
        body,
        arguments.output,
        arguments.preprocessing,
        gpu=arguments.gpu,
        threads=arguments.vcpus,
    )


def _rows(
    shard: Shard, outcomes: Sequence[Outcome], output: ModelOutput
) -> Iterator[Task | Outcome]:
    for row in outcomes:
        if row.status is not Status.WRITTEN or row.output_key is None:
            detail = "There is no resized picture for the model."
            yield Outcome(row.key, Status.SKIPPED, Reason.NO_RESIZED_IMAGE, detail)
            continue
        relative = keys.relative_key(row.key, shard.source.prefix)
        key = shard.output.prefix + keys.model_result_key(output, relative)
        yield Task(row.key, SourceObject(row.output_key, "", row.output_bytes), key, row.sha256)
