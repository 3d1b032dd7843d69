"""The model stage on one core against a bare ONNX Runtime loop, and its memory.

`python -m benchmarks.model_stage [PICTURES]` compares CPU seconds, in alternating rounds, of the
job with those of `session.run` over the same decoded batches; the network costs about as much as a
ResNet-50. `python -m benchmarks.model_stage memory [PICTURES]` shows the memory of a job with a
small network; the default is 5,000 pictures.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from benchmarks.memory import SAMPLES, resident_mib
from imagemill_worker.lanes.lane_io import StoreSink, StoreSource
from imagemill_worker.lanes.tasks import Task
from imagemill_worker.model.attempt import ModelAttempt
from imagemill_worker.model.model_files import ModelFiles
from imagemill_worker.model.model_job import ModelJob
from imagemill_worker.model.tensors import batch_of, decoded
from imagemill_worker.progress import Progress
from tests.helpers.jobs import Folder
from tests.helpers.networks import network
from tests.helpers.pictures import file_of, photograph

SIDE, CHANNELS, LAYERS, ROUNDS = 128, 64, 7, 3


def large_network() -> bytes:
    """Convolutions of 64 channels, 4 billion multiplications for a picture of 128 x 128."""
    draw = np.random.default_rng(2017)
    shapes = [(CHANNELS, 3, 3, 3), *[(CHANNELS, CHANNELS, 3, 3)] * (LAYERS - 1)]
    weights = [
        numpy_helper.from_array(draw.normal(0, 0.05, shape).astype(np.float32), f"kernel{layer}")
        for layer, shape in enumerate(shapes)
    ]
    nodes = [
        helper.make_node(
            "Conv", [f"value{layer}", f"kernel{layer}"], [f"value{layer + 1}"], pads=[1] * 4
        )
        for layer in range(LAYERS)
    ]
    nodes += [
        helper.make_node("GlobalAveragePool", [f"value{LAYERS}"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["result"]),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "network",
        [value("value0", TensorProto.FLOAT, (8, 3, SIDE, SIDE))],
        [value("result", TensorProto.FLOAT, (8, CHANNELS))],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def prepared(base: Path, pictures: int, model: bytes) -> Folder:
    """A folder with resized pictures and a model."""
    folder = Folder(base)
    for number in range(pictures):
        turned = photograph().rotate(number).resize((160, 150))
        folder.put(f"{number:05}.jpg", file_of(turned, "JPEG"))
    (base / "model.onnx").write_bytes(model)
    folder.plan(size=SIDE, model=(base / "model.onnx").as_uri())
    assert folder.run("resize").code == 0
    return folder


def opened(folder: Folder) -> ModelJob:
    stopping = threading.Event()
    attempt = ModelAttempt(folder.shard_address, False, 1, 8, stopping)
    shard, store, resized = attempt.opened()
    progress = Progress({"run_id": shard.run_id}, len(resized))
    files = ModelFiles(store, shard, StoreSource(store), StoreSink(store))
    return attempt.job(files, resized, progress)


def bare_loop(job: ModelJob) -> Callable[[], None]:
    """A loop over the batches of a job, decoded before."""
    shape, preprocessing = job.network.use.shape, job.network.use.preprocessing
    bodies = [job.source.read(row) for row in job.rows if isinstance(row, Task)]
    pictures = [decoded(body, shape, preprocessing) for body in bodies]
    batches = [
        batch_of(list(pictures[start : start + shape.batch]), shape, preprocessing)
        for start in range(0, len(pictures), shape.batch)
    ]

    def loop() -> None:
        for batch in batches:
            job.network.session.run(None, {"value0": batch})

    return loop


def cpu_seconds_of(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def compare(pictures: int) -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as base:
        folder = prepared(Path(base), pictures, large_network())
        bare, stage = [], []
        for _ in range(ROUNDS):
            bare.append(cpu_seconds_of(bare_loop(opened(folder))))
            with redirect_stdout(io.StringIO()):  # the job's log
                stage.append(cpu_seconds_of(opened(folder).run))
    for name, found in (("bare loop", bare), ("model stage", stage)):
        print(f"{name:12} {pictures / min(found):6.1f} pictures per CPU second")
    print(f"the stage takes {min(stage) / min(bare):.3f} times as long")


def memory(pictures: int) -> None:
    with tempfile.TemporaryDirectory() as base:
        folder = prepared(Path(base), pictures, network("vector", shape=("n", 3, SIDE, SIDE)))
        command = folder.command("model")
        samples = []
        with subprocess.Popen(
            command, env=folder.environment({}), stdout=subprocess.DEVNULL
        ) as job:
            while job.poll() is None:
                time.sleep(0.2)
                samples.append(resident_mib(job.pid))
    for mib in samples[:: max(1, len(samples) // SAMPLES)]:
        print(f"{mib:5.0f} MiB " + "#" * int(mib / 8))
    print(f"{pictures} pictures, exit code {job.returncode}, most: {max(samples):.0f} MiB")


if __name__ == "__main__":
    if sys.argv[1:2] == ["memory"]:
        memory(int(sys.argv[2]) if len(sys.argv) > 2 else 5_000)
    else:
        compare(int(sys.argv[1]) if len(sys.argv) > 1 else 64)
