"""The report of a large run: 1,000 jobs of each stage with 5,000 outcomes each, and its page.

As in `benchmarks.aggregation` the documents are made as jobs leave them. Here one picture in fifty
is rejected, for one of seven reasons, every job says what it has used, and the pictures that the
page draws are there, large and noisy. Slices and the report are made by processes of their own.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from heapq import nsmallest
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.aggregation import OUTPUT, SLICE, outcomes_of, planned_shards, run_of
from benchmarks.listing import ROOT, RUN_ID, SOURCE, cpu_seconds, s3_environment
from imagemill_app.aggregate.run_report import write_report
from imagemill_app.aggregate.slice_tally import aggregate_slice
from imagemill_app.stores import read_bytes, write_bytes
from imagemill_contract import keys
from imagemill_contract.documents import Shard, encode_outcomes
from imagemill_contract.keys import Stage
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_contract.reporting.previews import Preview
from imagemill_contract.reporting.sampling import MAX_SAMPLES, drawing
from imagemill_contract.reporting.usage import Usage

OBJECTS_OF_SHARD, JOB_SECONDS, AT_ONCE = 5_000, 40.0, 256
EVERY = 50
REASONS = (
    *(Reason.TRUNCATED, Reason.CORRUPT, Reason.EMPTY, Reason.NOT_AN_IMAGE, Reason.TOO_SMALL),
    *(Reason.UNSUPPORTED_FORMAT, Reason.DECODER_TIMEOUT),
)


def noise(width: int, height: int, kind: str, seed: int) -> bytes:
    """A file that cannot be packed well: no picture of its size takes more of a page."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, quality=90)
    return buffer.getvalue()


def make(count: int, output: str) -> None:
    """In a process of its own: write all documents and pictures."""
    small = base64.b64encode(noise(96, 96, "WEBP", 1)).decode()
    for number, shard in enumerate(planned_shards(count, output, OBJECTS_OF_SHARD)):
        rejected = {item.key for item in shard.objects[7::EVERY]}
        for stage, header, rows in outcomes_of(shard):
            found = list(as_it_ended(rows, stage, rejected))
            if "shards" in header:
                header = as_packed(header, len(found) - len(rejected))
                header["previews"] = [
                    Preview(key, small, small).to_row() for key in drawn(shard, rejected)
                ]
            key = keys.outcome_key(RUN_ID, stage, shard.shard_id)
            write_bytes(OUTPUT, key, encode_outcomes(header, found))
            began = 1_796_000_000.0 + number // AT_ONCE * JOB_SECONDS
            seconds = JOB_SECONDS * (1 + number % 7 / 10)
            requests = {"get": len(found) + 3, "put": len(found) + 4}
            used = Usage(1, seconds, seconds, 0.9 * seconds, 0, requests, began, began + seconds)
            write_bytes(OUTPUT, keys.usage_key(RUN_ID, stage, shard.shard_id), used.encode())
        put_pictures(shard, rejected)


def as_it_ended(rows: Iterator[Outcome], stage: Stage, rejected: set[str]) -> Iterator[Outcome]:
    position = 0
    for place, row in enumerate(rows):
        if row.key not in rejected:
            yield row if row.position is None else row._replace(position=position)
            position += 1
        elif stage is Stage.RESIZE:
            reason = REASONS[place // EVERY % len(REASONS)]
            yield Outcome(row.key, Status.REJECTED, reason, "What the decoder says of it. " * 4)
        else:
            yield Outcome(row.key, Status.SKIPPED, Reason.NO_RESIZED_IMAGE)


def as_packed(header: dict[str, Any], samples: int) -> dict[str, Any]:
    (shard,) = header["shards"]
    verified = {"shards": 1, "samples": samples}
    return {"shards": [{**shard, "samples": samples}], "verified": verified}


def drawn(shard: Shard, rejected: set[str]) -> Sequence[str]:
    """Keys of the pictures of a shard that a page can draw."""
    written = (item.key for item in shard.objects if item.key not in rejected)
    return nsmallest(MAX_SAMPLES, written, key=drawing(RUN_ID))


def put_pictures(shard: Shard, rejected: set[str]) -> None:
    """Sources and results of what a page may draw, and the first examples of each problem."""
    source, recipe = Location.parse(SOURCE, "source"), shard.recipe
    examples = sorted(rejected)[: 12 * len(REASONS)] if shard.shard_id == "00000" else []
    for seed, key in enumerate([*drawn(shard, rejected)[:3], *examples]):
        write_bytes(Location(source.root), key, LARGE[seed % len(LARGE)])
        if not recipe.is_packed and key not in rejected:
            for stage in keys.stages_of(recipe):
                name = keys.output_key(stage, key.removeprefix("full/"), recipe)
                write_bytes(OUTPUT, name, LARGE[seed % len(LARGE)])


LARGE = [noise(1200, 900, "JPEG", seed) for seed in range(3)]


def slices(count: int, output: str) -> None:
    """In a process of its own: aggregate all slices, and print what the longest took."""
    run, seconds = run_of(count, output, OBJECTS_OF_SHARD), []
    for number in run["slices"]:
        began = time.monotonic()
        aggregate_slice(run, number, {})
        seconds.append(time.monotonic() - began)
    print(json.dumps({"slices": len(seconds), "longest": max(seconds), "mib": peak_mib()}))


def report(count: int, output: str) -> None:
    """In a process of its own: what AggregateRun does, and what it leaves."""
    began, before = time.monotonic(), cpu_seconds()
    verdict = write_report(run_of(count, output, OBJECTS_OF_SHARD), {}, 0, "2026-11-23T11:15:30Z")
    assert verdict.stages["edge"]["written"] == count - count // EVERY, verdict
    page = read_bytes(OUTPUT, keys.report_page_key(RUN_ID))
    found = {
        "wall": time.monotonic() - began,
        "cpu": cpu_seconds() - before,
        "mib": peak_mib(),
        "page": len(page),
        "pictures": page.count(b"<img "),
        "report": len(read_bytes(OUTPUT, keys.report_key(RUN_ID))),
    }
    if folder := os.environ.get("PAGE_FOLDER"):
        Path(folder, f"{output}.html").write_bytes(page)
    print(json.dumps(found))


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(count: int, output: str) -> dict[str, dict[str, Any]]:
    found = {}
    with s3_environment(count, 0) as (environment, _):
        for step in ("make", "slices", "report"):
            command = [sys.executable, "-m", "benchmarks.large_report", str(count)]
            done = subprocess.run(
                [*command, "--output", output, "--step", step],
                env=environment,
                check=True,
                cwd=ROOT,
                stdout=subprocess.PIPE,
            )
            found[step] = json.loads(done.stdout or b"{}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", nargs="?", type=int, default=1_000 * OBJECTS_OF_SHARD)
    parser.add_argument("--output", nargs="*", default=["files", "webdataset"])
    parser.add_argument("--step", choices=("make", "slices", "report"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    steps = {"make": make, "slices": slices, "report": report}
    if options.step:
        steps[options.step](options.count, options.output[0])
        return
    assert options.count > SLICE, "a run of one slice has no slices to aggregate"
    print(
        "| pictures | output | longest slice, s | its MiB | AggregateRun, s | CPU s | MiB ", end=""
    )
    print("| page, kB | pictures in it | report.json, kB |\n|" + "---|" * 10)
    for output in options.output:
        row = measured(options.count, output)
        of_slices, of_run = row["slices"], row["report"]
        print(
            f"| {options.count:,} | {output} | {of_slices['longest']:.1f} | {of_slices['mib']:.0f} "
            f"| {of_run['wall']:.1f} | {of_run['cpu']:.1f} | {of_run['mib']:.0f} "
            f"| {of_run['page'] / 1000:.0f} | {of_run['pictures']} "
            f"| {of_run['report'] / 1000:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
