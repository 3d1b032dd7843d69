"""Counts the S3 requests of a run for each `output`, and calculates the cost of a million pictures.

2,000 small pictures go through the deployed stack on the embedded engine, which logs every request
of jobs, handlers and state machine (`request_log.py`). `million.py` scales them, with the CPU time
that photographs of 684 KB take here, against a loopback S3.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import time
import urllib.request
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.million import DOLLARS_PER_VCPU_HOUR, MILLION, Bill, Jobs, Run, bill_of, work_shards
from benchmarks.packed_cpu import cpu_seconds
from benchmarks.photographs import as_file, mean_bytes, photographs
from benchmarks.request_log import Kind, logging_engine, requests_in
from benchmarks.s3_job import Server, put_shard, worker_environment
from imagemill.execution import follow, start_run
from imagemill.local_stack import LocalStack, local_stack
from imagemill_contract import keys
from imagemill_contract.documents import decode_outcomes
from imagemill_contract.keys import Stage
from imagemill_contract.recipe import Output, Recipe

PREFIX = "trial/"  # no upload run watches it
WIDTH, HEIGHT = 320, 240


def pictures(count: int) -> Iterator[bytes]:
    """Parts of the photographs, each a different one."""
    sources = [Image.open(photo.path).convert("RGB") for photo in photographs()]
    for number in range(count):
        source = sources[number % len(sources)]
        row, column = divmod(number // len(sources) * 7, source.width - WIDTH)
        top = row * 7 % (source.height - HEIGHT)
        part = source.crop((column, top, column + WIDTH, top + HEIGHT))
        yield as_file(part, "JPEG", quality=88)


def seen_run(stack: LocalStack, log: Path, bodies: Sequence[bytes], output: Output) -> Run:
    """Upload pictures, named by their hashes, and run. Fails unless each was read exactly once."""
    s3 = stack.client("s3")
    names = [f"{PREFIX}{hashlib.sha256(body).hexdigest()}.jpg" for body in bodies]

    def upload(name: str, body: bytes) -> None:
        s3.put_object(Bucket=stack.input_bucket, Key=name, Body=body)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(upload, names, bodies))
    assert not requests_in(log)
    document = {
        "source": f"s3://{stack.input_bucket}/{PREFIX}",
        "recipe": Recipe(output=output).to_document(),
    }
    execution = start_run(stack.client("stepfunctions"), stack.state_machine_arn, document)
    follow(execution, lambda: time.sleep(0.2))
    counts = execution.result()["stages"]
    assert all(stage["written"] == len(names) for stage in counts.values()), counts
    requests = requests_in(log)
    assert all(item.status < 400 for item in requests)
    originals = Counter(item.key for item in requests if item.bucket == stack.input_bucket)
    del originals[""]  # listings
    odd = {name: originals[name] for name in names if originals[name] != 1}
    assert not odd, f"Originals that were not read exactly once: {odd}"
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=stack.output_bucket)
    stored = {row["Key"]: row["Size"] for page in pages for row in page["Contents"]}
    return Run(requests, stored, PREFIX, len(names))


def measured_jobs(count: int, rounds: int) -> dict[Output, Jobs]:
    """Both jobs of one work shard of photographs, in alternating rounds; seconds are medians."""
    seconds: dict[Output, list[float]] = {output: [] for output in Output}
    written: dict[Output, tuple[float, float]] = {}
    server = Server(wait_seconds=0)
    try:
        environment = worker_environment(server)
        for _ in range(rounds):
            for output in Output:
                shard = put_shard(server.endpoint, count, Recipe(output=output))
                seconds[output].append(sum(cpu_seconds(shard, environment).values()))
                written[output] = bytes_written(server)
    finally:
        server.process.kill()
    return {
        output: Jobs(
            cpu_seconds=statistics.median(seconds[output]) / count,
            picture_bytes=written[output][0] / count,
            packed_bytes=written[output][1] / count,
        )
        for output in Output
    }


def bytes_written(server: Server) -> tuple[float, float]:
    """Bytes of all pictures and of all dataset shards, from the outcomes."""
    _, pictures_written = outcomes(server, Stage.RESIZE)
    header, _ = outcomes(server, Stage.EDGE)
    shards = header.get("shards", [])
    return sum(row.output_bytes for row in pictures_written), sum(row["bytes"] for row in shards)


def outcomes(server: Server, stage: Stage) -> tuple[dict[str, Any], list[Any]]:
    key = "out/" + keys.outcome_key("bench", stage, "00000")
    with urllib.request.urlopen(f"{server.endpoint}/bucket/{key}") as answer:  # noqa: S310 # our own server
        return decode_outcomes(answer.read())


def print_requests(runs: dict[Output, Run]) -> None:
    print("| output | PUT | LIST | PUT and LIST | GET of originals | other GET and HEAD | DELETE |")
    print("|---|---|---|---|---|---|---|")
    for output, run in runs.items():
        kinds = Counter(item.kind for item in run.requests)
        billed = kinds[Kind.PUT] + kinds[Kind.LIST]
        row = [kinds[Kind.PUT], kinds[Kind.LIST], billed, run.objects]
        row += [kinds[Kind.GET] - run.objects, kinds[Kind.DELETE]]
        print(f"| {output} | " + " | ".join(f"{count:,}" for count in row) + " |")


def print_bills(bills: dict[Output, Bill]) -> None:
    print("| output | PUT and LIST | GET | requests | vCPU hours | vCPU | both | with functions |")
    print("|---|---|---|---|---|---|---|---|")
    for output, bill in bills.items():
        vcpu = [bill.vcpu_hours * price for price in DOLLARS_PER_VCPU_HOUR]
        both = [bill.requests_dollars + dollars for dollars in vcpu]
        cells = [f"{bill.put:,.0f}", f"{bill.get:,.0f}", f"{bill.requests_dollars:.3f}"]
        cells += [f"{bill.vcpu_hours:.2f}", span(vcpu), span(both)]
        cells += [span(dollars + bill.functions_dollars for dollars in both)]
        print(f"| {output} | " + " | ".join(cells) + " |")


def span(dollars: Iterable[float]) -> str:
    return " to ".join(f"{value:.2f}" for value in dollars)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument(
        "--photographs", type=int, help="of a work shard (default: as many as one has)"
    )
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    bodies = list(pictures(options.pictures))
    assert len(set(bodies)) == len(bodies)
    runs = {}
    for output in Output:
        with logging_engine() as log, local_stack() as stack:
            runs[output] = seen_run(stack, log, bodies, output)
    print(f"Requests of one run over {options.pictures:,} pictures, {time.strftime('%Y-%m-%d')}\n")
    print_requests(runs)
    shards = work_shards()
    photographs_of_shard = options.photographs or MILLION // shards
    jobs = measured_jobs(photographs_of_shard, options.rounds)
    print(f"\n{MILLION:,} pictures of {mean_bytes() / 1000:.0f} KB in {shards} work shards, USD\n")
    print_bills(
        {output: bill_of(run, jobs[output], shards, output) for output, run in runs.items()}
    )


if __name__ == "__main__":
    main()
