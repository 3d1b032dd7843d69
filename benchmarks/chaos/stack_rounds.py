"""A round on the embedded engine whose S3 fails, as seen by jobs and handlers alike."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from benchmarks.chaos import pictures
from benchmarks.chaos.faults import Harm, drawn_harms
from benchmarks.chaos.rounds import Ground, Judge, Told, drawn_recipe
from benchmarks.chaos.snipers import drawn_shots, shoot
from imagemill.errors import RunFailedError
from imagemill.execution import Execution, start_run
from imagemill_contract.keys import report_key
from tests.helpers.proxied_stack import ProxiedStack, proxied_stack

_SECONDS = 240


class Stacks(ExitStack):
    """Starts one engine when it is asked for, and ends it with the block."""

    _one: ProxiedStack | None = None

    def one(self) -> ProxiedStack:
        self._one = self._one or self.enter_context(proxied_stack(vcpus=2))
        return self._one


@dataclass
class StackRound:
    """One round of a seed; `name` is the folder of its pictures."""

    ground: Ground
    random: Random
    name: str
    output: str
    proxied: ProxiedStack
    told: Told = field(default_factory=Told)

    def run(self) -> Told:
        random, told, stack = self.random, self.told, self.proxied.stack
        base = self.ground.folder / self.name
        base.mkdir()
        judge = Judge(told, base, self.ground.s3)
        self._clear()
        drawn = pictures.drawn(random, 60, in_bucket=True)
        prefix = f"{self.name}/"
        for name, body in drawn.items():
            self._s3.put_object(Bucket=stack.input_bucket, Key=prefix + name, Body=body)
        recipe = drawn_recipe(random, self.output)
        harms = drawn_harms(random, list(drawn), prefix)
        spoiled = frozenset[str]().union(*(harm.spoiled for harm in harms))
        expected = self.ground.expected(drawn, recipe, prefix, spoiled)
        told.what = {
            "of": "stack",
            "pictures": len(drawn),
            "recipe": recipe,
            "harms": [harm.name for harm in harms],
        }
        first = self._disturbed(recipe, harms)
        files = self._files()
        if report_key(first.run_id) in files:
            judge.run(files, first.run_id, expected)
        else:
            judge.unreported(files, expected)
        calm = replace(expected, spoiled=frozenset())
        second = self._run(recipe)
        told.what["then"] = judge.repaired(self._files(), second.run_id, calm)
        third = self._run(recipe)
        files = self._files()
        # in a bucket nobody knows for sure that a stopped run is over
        open_ids = [] if report_key(first.run_id) in files else [first.run_id]
        judge.idle(files, third.run_id, calm, open_ids, in_folder=False)
        return told

    def _disturbed(self, recipe: dict[str, object], harms: list[Harm]) -> Execution:
        """A run under faults and shots, after its end, or stopped at some moment."""
        random, proxy = self.random, self.proxied.proxy
        rules = [(harm.name, proxy.add(harm.fault)) for harm in harms]
        execution = self._started(recipe)
        over = threading.Event()
        shots = drawn_shots(random, with_deadly=False)
        engine = self.proxied.stack.engine.pid
        sniper = threading.Thread(target=shoot, args=(engine, shots, self.told.blows, over))
        sniper.start()
        stop_after = random.uniform(0.5, 6) if random.random() < 0.3 else _SECONDS
        is_stopped = not self._is_over_within(execution, stop_after)
        if is_stopped:
            execution.stop("The soak stops it.")
            self.told.blows["run stopped"] += 1
        over.set()
        sniper.join()
        proxy.remove()
        for name, rule in rules:
            self.told.faults[name] += rule.count
        self.told.what["end"] = "stopped" if is_stopped else self._end_of(execution)
        return execution

    def _end_of(self, execution: Execution) -> str:
        """Its sentence; runs that end without a report are counted."""
        try:
            return str(execution.result()["sentence"])
        except RunFailedError as error:
            self.told.unreported += report_key(execution.run_id) not in self._files()
            return str(error)

    def _run(self, recipe: dict[str, object]) -> Execution:
        execution = self._started(recipe)
        assert self._is_over_within(execution, _SECONDS), "a run without faults does not end"
        return execution

    def _started(self, recipe: dict[str, object]) -> Execution:
        self.told.runs += 1
        stack = self.proxied.stack
        source = f"s3://{stack.input_bucket}/{self.name}/"
        document = {"source": source, "recipe": recipe}
        return start_run(stack.client("stepfunctions"), stack.state_machine_arn, document)

    def _is_over_within(self, execution: Execution, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while execution.is_running():
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.1)
        return True

    @property
    def _s3(self) -> Any:
        return self.proxied.stack.client("s3")

    def _files(self) -> dict[str, bytes]:
        bucket = self.proxied.stack.output_bucket
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        keys = [row["Key"] for page in pages for row in page.get("Contents", [])]
        bodies = {key: self._s3.get_object(Bucket=bucket, Key=key)["Body"] for key in keys}
        return {key: body.read() for key, body in bodies.items()}

    def _clear(self) -> None:
        """Forget what rounds before have left in the only output bucket that there is."""
        bucket = self.proxied.stack.output_bucket
        for key in self._files():
            self._s3.delete_object(Bucket=bucket, Key=key)
