"""The distributed Map: a Map run with a child execution for each item."""

import contextvars
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ministack.core.responses import new_uuid
from ministack.services import stepfunctions as states

from imagemill_engine.hooks import seam
from imagemill_engine.hooks.states.items import evaluated, items_of, number
from imagemill_engine.hooks.states.results import write_results
from imagemill_engine.hooks.states.roles import Need, require_right
from imagemill_engine.hooks.states.run import context_of, finish, run_states, scopes, stop_child
from imagemill_engine.hooks.states.scope import ExecutionStopped, Scope, current, entered

State = dict[str, Any]
Execution = dict[str, Any]
Context = dict[str, Any]

# Each child holds a thread while it waits for its jobs.
MAX_CHILDREN_AT_A_TIME = 200
EXCEEDED = "States.ExceedToleratedFailureThreshold"
COUNTED = {
    "SUCCEEDED": "succeeded",
    "FAILED": "failed",
    "TIMED_OUT": "timedOut",
    "ABORTED": "aborted",
}


def install() -> None:
    seam.require(states, "_map_runs")
    seam.replace(
        states,
        "_run_distributed_map",
        ["state_def", "raw_input", "effective", "iterator", "execution", "ctx"],
        run_distributed_map,
    )


def run_distributed_map(
    state: State, given: Any, effective: Any, processor: State, execution: Execution, ctx: Context
) -> tuple[Any, str | None]:
    outer = current()
    assert outer is not None  # noqa: S101 - a state runs within an execution
    machine_arn = execution["stateMachineArn"]
    require_right(outer.role_arn, Need("states:StartExecution", machine_arn, "States.Runtime"))
    jsonata = states._state_query_language(state, ctx) == "JSONata"
    items = items_of(state, given, effective, ctx, role_arn=outer.role_arn, jsonata=jsonata)
    map_run = MapRun(
        state,
        processor,
        execution,
        item_count=len(items),
        max_concurrency=int(number(state, "MaxConcurrency", given, ctx)),
        tolerance=Tolerance.of(state, given, ctx, len(items)),
        query_language=processor.get("QueryLanguage") or ctx["QueryLanguage"],
    )
    outputs = map_run.run(items, outer)
    result: Any = outputs
    if "ResultWriter" in state:
        writer = evaluated(state["ResultWriter"], given, ctx, jsonata=jsonata)
        written = write_results(map_run.arn, map_run.children, writer, outer.role_arn)
        result = {"MapRunArn": map_run.arn, "ResultWriterDetails": written}
    map_run.close()
    return _with_output(state, given, result, ctx, jsonata=jsonata), states._next_or_end(state)


def _with_output(state: State, given: Any, result: Any, ctx: Context, *, jsonata: bool) -> Any:
    if jsonata:
        output = states._apply_jsonata_output(state, given, ctx, result=result, default=result)
        states._apply_state_assign(state, given, ctx, result=result)
        return output
    selected = states._apply_result_selector(state, result)
    placed = states._apply_result_path(state, given, selected)
    return states._apply_output_path(state, placed, ctx)


class Tolerance:
    """How many children may fail; both limits hold when both are given."""

    def __init__(self, max_failures: list[float]) -> None:
        self._max_failures = max_failures or [0]

    @classmethod
    def of(cls, state: State, given: Any, ctx: Context, item_count: int) -> "Tolerance":
        limits = []
        if "ToleratedFailureCount" in state or "ToleratedFailureCountPath" in state:
            limits.append(number(state, "ToleratedFailureCount", given, ctx))
        if "ToleratedFailurePercentage" in state or "ToleratedFailurePercentagePath" in state:
            share = number(state, "ToleratedFailurePercentage", given, ctx)
            limits.append(share * item_count / 100)
        return cls(limits)

    def is_exceeded_by(self, failures: int) -> bool:
        return any(failures > limit for limit in self._max_failures)


class MapRun:
    def __init__(
        self,
        state: State,
        processor: State,
        execution: Execution,
        *,
        item_count: int,
        max_concurrency: int,
        tolerance: Tolerance,
        query_language: str,
    ) -> None:
        self._children: dict[int, Execution] = {}  # by the index of the item
        self._processor = processor
        self._execution = execution
        self._tolerance = tolerance
        self._query_language = query_language
        self._max_concurrency = max_concurrency
        self._lock = threading.Lock()
        *_, self._machine_name = execution["stateMachineArn"].split(":")
        label = state.get("Label") or new_uuid()
        self._child_machine_arn = f"{execution['stateMachineArn']}/{label}"
        self.arn = self._child_machine_arn.replace(":stateMachine:", ":mapRun:") + f":{new_uuid()}"
        self._record = self._registered(item_count)

    def _registered(self, item_count: int) -> dict[str, Any]:
        names = ("pending", "running", "total", "resultsWritten", *COUNTED.values())
        counts = dict.fromkeys(names, 0) | {"total": item_count, "pending": item_count}
        record = {
            "mapRunArn": self.arn,
            "executionArn": self._execution["executionArn"],
            "status": "RUNNING",
            "startDate": states.now_iso(),
            "maxConcurrency": self._max_concurrency,
            "toleratedFailurePercentage": 0.0,
            "toleratedFailureCount": 0,
            "itemCounts": counts,
            "executionCounts": dict(counts),
            "redriveCount": 0,
            "_stateMachineArn": self._child_machine_arn,
        }
        states._map_runs[self.arn] = record
        return record

    @property
    def children(self) -> list[Execution]:
        """Those that were started, in the order of the items."""
        return [self._children[index] for index in sorted(self._children)]

    def run(self, items: list[Any], outer: Scope) -> list[Any]:
        """Run a child for every item; returns the outputs of those that succeeded."""
        length = {"mapStateStartedEventDetails": {"length": len(items)}}
        states._add_event(self._execution, "MapStateStarted", length)
        started = {"mapRunStartedEventDetails": {"mapRunArn": self.arn}}
        states._add_event(self._execution, "MapRunStarted", started)
        try:
            with entered(Scope(self._execution, outer.role_arn, parent=outer)) as scope:
                self._run_children(items, scope)
        finally:
            if outer.is_stopped:
                self._close_record("ABORTED")
        outer.check()
        done = [child for child in self.children if child["status"] == "SUCCEEDED"]
        return [json.loads(child["output"]) for child in done]

    def _run_children(self, items: list[Any], scope: Scope) -> None:
        wanted = min(self._max_concurrency or MAX_CHILDREN_AT_A_TIME, max(len(items), 1))
        with ThreadPoolExecutor(min(wanted, MAX_CHILDREN_AT_A_TIME)) as pool:
            for index, item in enumerate(items):
                context = contextvars.copy_context()
                pool.submit(context.run, self._run_child, index, item, scope)

    def close(self) -> None:
        """Raises the error of the Map state when too many children have failed."""
        if not self._is_exceeded():
            self._close_record("SUCCEEDED")
            states._add_event(self._execution, "MapRunSucceeded")
            return
        self._close_record("FAILED")
        cause = "The specified tolerated failure threshold was exceeded"
        details = {"error": EXCEEDED, "cause": cause}
        states._add_event(self._execution, "MapRunFailed", {"mapRunFailedEventDetails": details})
        raise states._ExecutionError(EXCEEDED, cause)

    def _close_record(self, status: str) -> None:
        self._record.update(status=status, stopDate=states.now_iso())

    def _is_exceeded(self) -> bool:
        counts = self._record["executionCounts"]
        return self._tolerance.is_exceeded_by(
            counts["failed"] + counts["timedOut"] + counts["aborted"]
        )

    def _run_child(self, index: int, item: Any, map_scope: Scope) -> None:
        if map_scope.is_stopped:
            return
        child = self._started_child(index, item, map_scope.role_arn)
        scope = Scope(child, map_scope.role_arn, parent=map_scope)
        scopes[child["executionArn"]] = scope
        try:
            with entered(scope):
                finish(child, lambda: self._walk(child, item, scope.role_arn))
        except ExecutionStopped:
            stop_child(child)
        finally:
            scopes.pop(child["executionArn"], None)
            self._count("running", COUNTED[child["status"]])
        if self._is_exceeded():
            map_scope.stop("The tolerated failure threshold of the Map run was exceeded")

    def _walk(self, child: Execution, item: Any, role_arn: str) -> Any:
        ctx = context_of(child, self._machine_name, role_arn, item, self._query_language)
        processor = self._processor
        return run_states(processor["States"], processor["StartAt"], item, child, ctx)

    def _started_child(self, index: int, item: Any, role_arn: str) -> Execution:
        name = new_uuid()
        given = json.dumps(item)
        started = states.now_iso()
        arn = self._child_machine_arn.replace(":stateMachine:", ":execution:") + f":{name}"
        child = {
            "executionArn": arn,
            "stateMachineArn": self._child_machine_arn,
            "name": name,
            "status": "RUNNING",
            "startDate": started,
            "stopDate": None,
            "input": given,
            "output": None,
            "mapRunArn": self.arn,
            "events": [],
            "mockAttempts": {},
        }
        states._add_event(
            child,
            "ExecutionStarted",
            {"executionStartedEventDetails": {"input": given, "roleArn": role_arn}},
        )
        states._executions[arn] = child
        with self._lock:
            self._children[index] = child
        self._count("pending", "running")
        return child

    def _count(self, fewer: str, more: str) -> None:
        with self._lock:
            for counts in (self._record["itemCounts"], self._record["executionCounts"]):
                counts[fewer] -= 1
                counts[more] += 1
