"""Aggregation at scale: what became of very many pictures, slice by slice, then the report.

The documents of a run are made as its jobs leave them; pictures are not. The real handlers' logic
runs in a process of its own, against a loopback S3 in another process.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from hashlib import sha256
from typing import Any

from benchmarks.key_server import etag_of, name_of
from benchmarks.listing import ROOT, RUN_ID, SOURCE, STARTED, s3_environment

sys.path.append(str(ROOT / "functions"))

from imagemill_app.aggregate.run_report import write_report
from imagemill_app.aggregate.slice_tally import aggregate_slice
from imagemill_app.plan.planned_run import PlannedRun
from imagemill_app.stores import write_bytes
from imagemill_contract import keys
from imagemill_contract.document_parts.pictures import Original
from imagemill_contract.documents import Shard, SourceObject, encode_outcomes
from imagemill_contract.keys import Stage, stages_of
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome, Status
from imagemill_contract.recipe import Output, Recipe
from imagemill_dataset.names import dataset_shard_key, shard_tag
from imagemill_dataset.shards import DatasetShard, PixelSums

OUTPUT = Location("s3://output-bucket")
SLICE, SHARD = 250_000, 25_000
DIGEST = "0123456789abcdef" * 4


def run_of(count: int, output: str, shard: int = SHARD) -> dict[str, Any]:
    run = PlannedRun(
        run_id=RUN_ID,
        started=STARTED,
        source=SOURCE,
        output=str(OUTPUT),
        recipe=Recipe(output=Output(output)).to_document(),
        items_key=keys.plan_key(RUN_ID),
        map_results_prefix=keys.map_results_prefix(RUN_ID),
        shards=-(-count // shard),
        objects=count,
        refused=0,
        bytes=670_000 * count,
        slices=list(range(-(-count // SLICE))),
    )
    return asdict(run)


def make(count: int, output: str) -> None:
    """In a process of its own: write the documents of the plan and of the jobs."""
    for shard in planned_shards(count, output):
        for stage, header, rows in outcomes_of(shard):
            body = encode_outcomes(header, rows)
            write_bytes(OUTPUT, keys.outcome_key(RUN_ID, stage, shard.shard_id), body)


def planned_shards(count: int, output: str, objects_of_shard: int = SHARD) -> Iterator[Shard]:
    """Write what PlanRun leaves, and give each shard."""
    recipe, items = Recipe(output=Output(output)), []
    source = Location.parse(SOURCE, "source")
    for number in range(-(-count // SLICE)):
        write_bytes(OUTPUT, keys.refused_key(RUN_ID, number), encode_outcomes({}, []))
    for first in range(0, count, objects_of_shard):
        numbers = range(first, min(first + objects_of_shard, count))
        shard_id = keys.shard_id_of(first % SLICE // objects_of_shard, first // SLICE)
        objects = [SourceObject(f"full/{name_of(n, count)}", etag_of(n), 670_000) for n in numbers]
        shard = Shard(RUN_ID, shard_id, source, OUTPUT, recipe, objects)
        key = keys.shard_key(RUN_ID, shard_id)
        items.append({"shard": write_bytes(OUTPUT, key, shard.encode())})
        yield shard
    write_bytes(OUTPUT, keys.plan_key(RUN_ID), json.dumps(items).encode())


def outcomes_of(shard: Shard) -> Iterator[tuple[Stage, dict[str, object], Iterator[Outcome]]]:
    """The documents of both jobs: all was written."""
    tag, key = shard_tag(RUN_ID, shard.shard_id), ""
    if shard.recipe.is_packed:
        key = dataset_shard_key("images", "train", tag, 0, shard.recipe.output)
    for stage in stages_of(Recipe()):
        header: dict[str, object] = {}
        if shard.recipe.is_packed and stage is Stage.EDGE:
            body = b"x" * 1000
            write_bytes(OUTPUT, key, body)
            packed = DatasetShard(
                key,
                "train",
                len(shard.objects),
                len(body),
                DIGEST,
                PixelSums(9, (1, 2, 3), (4, 5, 6)),
            )
            samples = {"shards": 1, "samples": len(shard.objects)}
            header = {"shards": [packed.to_row()], "verified": samples}
        yield stage, header, _rows(shard, stage, key)


def _rows(shard: Shard, stage: Stage, packed_key: str) -> Iterator[Outcome]:
    for position, item in enumerate(shard.objects):
        relative = item.key.removeprefix("full/")
        key = keys.output_key(stage, relative, shard.recipe)
        digest = sha256(f"{stage} {item.key}".encode()).hexdigest()
        number = int(digest[:4], 16)  # no two pictures are alike
        taken = f"2026-{number % 12 + 1:02}-{number % 28 + 1:02}T14:05:{number % 60:02}+01:00"
        yield Outcome(
            item.key,
            Status.WRITTEN,
            output_key=packed_key if shard.recipe.is_packed else key,
            output_bytes=5_000 + number % 8_000,
            width=128,
            height=96,
            sha256=digest,
            etag="" if shard.recipe.is_packed else digest[32:],
            position=position if shard.recipe.is_packed else None,
            fingerprint=digest[16:32] if stage is Stage.EDGE else "",
            original=Original(4000, 3000, taken) if stage is Stage.RESIZE else None,
        )


def aggregate(count: int, output: str) -> None:
    """In a process of its own: aggregate, and print what that took."""
    run = run_of(count, output)
    before, began, slices = _cpu_seconds(), time.monotonic(), 0.0
    for number in run["slices"] if len(run["slices"]) > 1 else ():
        aggregate_slice(run, number, {})
        slices = _cpu_seconds() - before
    verdict = write_report(run, {}, 0, STARTED)
    assert verdict.stages["edge"]["written"] == count, verdict
    found = {
        "slices": len(run["slices"]),
        "cpu": _cpu_seconds() - before,
        "last": _cpu_seconds() - before - slices,
        "wall": time.monotonic() - began,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(found))


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def measured(count: int, output: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.aggregation", str(count), "--output", output]
    with s3_environment(count, 0) as (environment, _):
        subprocess.run([*command, "--make"], env=environment, check=True, cwd=ROOT)
        done = subprocess.run(
            [*command, "--child"], env=environment, check=True, cwd=ROOT, stdout=subprocess.PIPE
        )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("counts", nargs="*", type=int, default=[100_000, 1_000_000])
    parser.add_argument("--output", nargs="*", default=["files", "webdataset"])
    parser.add_argument("--make", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ.setdefault("AWS_REGION", "us-east-1")
    if options.make:
        make(options.counts[0], options.output[0])
    elif options.child:
        aggregate(options.counts[0], options.output[0])
    else:
        print("| outcomes | output | slices | CPU us/object | of it AggregateRun | wall s | MiB |")
        print("|---|---|---|---|---|---|---|")
        for count in options.counts:
            for output in options.output:
                row = measured(count, output)
                print(
                    f"| {count:,} | {output} | {row['slices']} | {row['cpu'] / count * 1e6:.1f} "
                    f"| {row['last'] / count * 1e6:.1f} | {row['wall']:.1f} "
                    f"| {row['peak_mib']:.0f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
