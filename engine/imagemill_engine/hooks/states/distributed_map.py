"""The distributed Map: its reader and writer, the rights it needs, and what stops it.

The emulator runs the children. It knows neither ResultWriter nor JSONata in these fields, gives
the children the variables of their parent, and starts a thread for each of them.
"""

from __future__ import annotations

from ministack.services import stepfunctions as states

from imagemill_engine.hooks import patching
from imagemill_engine.hooks.states.executions import ExecutionStopped, is_stopped, role_arn_of
from imagemill_engine.hooks.states.result_writer import written_results
from imagemill_engine.hooks.states.roles import Need, require_right
from imagemill_engine.shapes import Document, Function

# Each child holds two threads while it waits for its job.
MAX_CHILDREN_AT_A_TIME = 200
_EVERY_STATE = {"Type", "Comment", "Assign", "Output", "Retry", "Catch", "Next", "End"}
SUPPORTED = _EVERY_STATE | {
    *("Label", "MaxConcurrency", "ToleratedFailurePercentage"),
    *("ItemReader", "ItemProcessor", "ResultWriter"),
}


def install() -> None:
    """Wrap what reads the items, what runs the Map, and what runs one child."""
    for name in ("_apply_jsonata_template", "_apply_state_assign", "now_iso"):
        patching.require(states, name)
    patching.wrap(states, "_read_map_items", ["reader", "effective", "ctx"], read_items)
    patching.wrap(
        states,
        "_run_distributed_map",
        ["state_def", "raw_input", "effective", "iterator", "execution", "ctx"],
        run_map,
    )
    patching.wrap(
        states,
        "_run_sub_machine",
        ["states", "start_at", "input_data", "execution", "ctx"],
        run_child,
    )


def read_items(
    original: Function, reader: Document, given: object, context: Document
) -> list[object]:
    """The items of a Map, read from S3 with the rights of the machine's role."""
    arguments = states._apply_jsonata_template(reader["Arguments"], given, context)
    item_object = f"arn:aws:s3:::{arguments['Bucket']}/{arguments['Key']}"
    role_arn = role_arn_of(context["StateMachine"]["Id"])
    require_right(role_arn, Need("s3:GetObject", item_object, "States.ItemReaderFailed"))
    items: list[object] = original({**reader, "Arguments": arguments}, given, context)
    return items


def run_map(
    original: Function,
    state: Document,
    given: object,
    effective: object,
    processor: Document,
    execution: Document,
    context: Document,
) -> tuple[object, str | None]:
    """Run a distributed Map; returns its output and the name of the next state."""
    if unsupported := sorted(set(state) - SUPPORTED):
        raise states._ExecutionError(
            "States.Runtime",
            f"The embedded engine does not support {', '.join(unsupported)} of a distributed Map",
        )
    role_arn = role_arn_of(execution["stateMachineArn"])
    start = Need("states:StartExecution", execution["stateMachineArn"], "States.Runtime")
    require_right(role_arn, start)
    at_a_time = min(state.get("MaxConcurrency") or MAX_CHILDREN_AT_A_TIME, MAX_CHILDREN_AT_A_TIME)
    limited = {**state, "MaxConcurrency": at_a_time}
    outputs, following = original(limited, given, effective, processor, execution, context)
    map_run = newest_map_run(execution)
    children = children_of(map_run)
    if is_stopped(execution):
        close_stopped(map_run, children)
        raise ExecutionStopped
    result = outputs
    if "ResultWriter" in state:
        writer = states._apply_jsonata_template(state["ResultWriter"], given, context)
        details = written_results(map_run["mapRunArn"], children, writer["Arguments"], role_arn)
        result = {"MapRunArn": map_run["mapRunArn"], "ResultWriterDetails": details}
    states._add_event(execution, "MapRunSucceeded")
    output = states._apply_jsonata_output(state, given, context, result=result, default=result)
    states._apply_state_assign(state, given, context, result=result)
    return output, following


def newest_map_run(execution: Document) -> Document:
    """The record that the emulator keeps of a Map state: of its last attempt, if it was retried."""
    arn = execution["executionArn"]
    runs: list[Document] = [run for run in states._map_runs.values() if run["executionArn"] == arn]
    return runs[-1]


def children_of(map_run: Document) -> list[Document]:
    """The executions of a Map run, in the order in which they were started."""
    arn = map_run["mapRunArn"]
    return [child for child in states._executions.values() if child.get("mapRunArn") == arn]


def close_stopped(map_run: Document, children: list[Document]) -> None:
    """Write down the end of a Map run whose execution was stopped."""
    aborted = [child for child in children if child["status"] == "ABORTED"]
    map_run["status"] = "ABORTED"
    for counts in (map_run["itemCounts"], map_run["executionCounts"]):
        counts.update(running=0, aborted=len(aborted))


def run_child(
    original: Function,
    definitions: Document,
    start_at: str,
    given: object,
    child: Document,
    context: Document,
) -> object:
    """Run a child execution, which does not see the variables of its parent."""
    if "mapRunArn" not in child:  # a branch of a Parallel or an inline Map, which does see them
        return original(definitions, start_at, given, child, context)
    try:
        return original(definitions, start_at, given, child, {**context, "variables": {}})
    except ExecutionStopped:
        child.update(status="ABORTED", stopDate=states.now_iso())
        raise
