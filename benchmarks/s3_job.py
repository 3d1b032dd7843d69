"""How much of the compute speed is left in a whole job against S3, 30 to 60 ms to the first byte?

The job runs on core 0 and a loopback server on core 1: photographs of 670 KB in, pictures of
128 x 128 out. The server measures the rate, from the first object read to the last one written.
`compute` is the same work on the same core without S3. Rounds go A B C A B C.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from benchmarks.photographs import ROOT, folder_of, photographs
from imagemill_contract import keys
from imagemill_contract.documents import Shard, SourceObject
from imagemill_contract.locations import Location
from imagemill_contract.recipe import Recipe
from imagemill_worker.lanes.process_limits import LANE_ENVIRONMENT

ROUNDS = 3
OBJECTS = 4000  # about half a minute of work, the least that the planner gives to a job
FIRST_BYTE_SECONDS = 0.060  # at most; at least half of it
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
}


_RUNS = itertools.count()

Translate = Callable[[bytes], bytes]  # a shard document to that which a worker understands


def on_core(core: int) -> Callable[[], None]:
    return lambda: os.sched_setaffinity(0, {core})


class Server:
    """The loopback S3 on core 1."""

    def __init__(self, wait_seconds: float = FIRST_BYTE_SECONDS) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.s3_server", str(folder_of()), str(wait_seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            preexec_fn=on_core(1),
            cwd=ROOT,
            text=True,
        )
        self.endpoint = f"http://127.0.0.1:{int(self.line())}"

    def line(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline()

    def report(self) -> dict[str, float]:
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return dict(json.loads(self.line()))


def put_shard(
    endpoint: str,
    count: int = OBJECTS,
    recipe: Recipe | None = None,
    translate: Translate = bytes,
) -> str:
    """The address of a shard document, written to the server; of a new run each time.

    A job of a run that was there before would find its journal, and do nothing again.
    """
    run_id = f"bench-{next(_RUNS)}"
    bodies = [photo.read() for photo in photographs()]
    etags = [hashlib.md5(body).hexdigest() for body in bodies]  # noqa: S324 # as S3 does it
    objects = [
        SourceObject(f"photo/{n:05}.jpg", etags[n % len(bodies)], len(bodies[n % len(bodies)]))
        for n in range(count)
    ]
    places = Location.parse("s3://bucket/photo/", ""), Location.parse("s3://bucket/out/", "")
    body = translate(Shard(run_id, "00000", *places, recipe or Recipe(), objects).encode())
    key = keys.shard_key(run_id, "00000")
    request = urllib.request.Request(f"{endpoint}/bucket/{key}", body, method="PUT")  # noqa: S310 # our own server
    urllib.request.urlopen(request).close()  # noqa: S310 # our own server
    return f"s3://bucket/{key}"


def worker_environment(server: Server, extra_path: str = "") -> dict[str, str]:
    path = [extra_path, str(ROOT / "contract"), str(ROOT / "batch_worker"), str(ROOT)]
    env = {**os.environ, **CREDENTIALS, "AWS_ENDPOINT_URL": server.endpoint}
    return {**env, "PYTHONPATH": os.pathsep.join(filter(None, path))}


def job_rate(server: Server, threads: int, extra_path: str = "") -> float:
    """Images per second of a job, without the start of its process."""
    shard = put_shard(server.endpoint)
    command = [sys.executable, "-m", "imagemill_worker", "resize", "--shard", shard]
    subprocess.run(
        [*command, "--threads", str(threads)],
        env=worker_environment(server, extra_path),
        preexec_fn=on_core(0),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    report = server.report()
    assert report["writes"] == OBJECTS
    return OBJECTS / report["seconds"]


def compute_rate() -> float:
    paths = [str(photo.path) for photo in photographs()]
    passes = OBJECTS // len(paths) // 2
    rivals = str(Path(__file__).with_name("rivals.py"))
    env = {**os.environ, **LANE_ENVIRONMENT}
    env["PYTHONPATH"] = os.pathsep.join([str(ROOT / "contract"), str(ROOT / "batch_worker")])
    done = subprocess.run(
        [sys.executable, "-P", rivals, "imagemill", str(passes), *paths],
        env=env,
        preexec_fn=on_core(0),
        capture_output=True,
        check=True,
    )
    return passes * len(paths) / sum(map(float, done.stdout.split()))


def main() -> None:
    threads = int(sys.argv[1]) if len(sys.argv) > 1 else 32
    server = Server()
    rates: dict[str, list[float]] = {"compute": [], "imagemill": [], "with boto3": []}
    try:
        with tempfile.TemporaryDirectory() as folder:
            text = "import sys\nif '-m' in sys.orig_argv: import benchmarks.boto3_stores\n"
            Path(folder, "sitecustomize.py").write_text(text)
            for _ in range(ROUNDS):
                rates["compute"].append(compute_rate())
                rates["imagemill"].append(job_rate(server, threads))
                rates["with boto3"].append(job_rate(server, threads, folder))
    finally:
        server.process.kill()
    print(f"{OBJECTS} objects, {threads} threads, {ROUNDS} rounds, {time.strftime('%Y-%m-%d')}\n")
    print("| | images/s | of compute |\n|---|---|---|")
    for name, mine in rates.items():
        share = statistics.median(a / b for a, b in zip(mine, rates["compute"], strict=True))
        print(f"| {name} | {statistics.median(mine):.1f} | {share:.3f} |")
    pairs = zip(rates["imagemill"], rates["with boto3"], strict=True)
    print(f"\nobstore against boto3: {statistics.median(a / b for a, b in pairs):.2f}")


if __name__ == "__main__":
    main()
