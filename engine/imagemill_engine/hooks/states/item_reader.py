"""The items of a distributed Map: read with the rights of the state machine's role."""

import gzip
from typing import Any

from botocore.exceptions import ClientError
from ministack.services import stepfunctions as states

from imagemill_engine.hooks import seam
from imagemill_engine.hooks.callback import role_client
from imagemill_engine.hooks.states.roles import Need, require_right

State = dict[str, Any]
Context = dict[str, Any]

GZIP_MAGIC = b"\x1f\x8b"
FAILED = "States.ItemReaderFailed"


def install() -> None:
    seam.require_function(states, "_parse_reader_items", ["text", "config"])
    seam.require_function(states, "_read_map_items", ["reader", "effective", "ctx"])
    seam.require_function(
        states,
        "_apply_jsonata_template",
        ["value", "raw_input", "ctx", "result", "error_output"],
    )
    seam.require_function(
        states, "_jsonata_state_field", ["state_def", "field", "expected", "raw_input", "ctx"]
    )
    seam.require_function(states, "_resolve_params_obj", ["template", "data", "ctx"])


def evaluated(value: Any, given: Any, ctx: Context, *, jsonata: bool) -> Any:
    """A template of the state (Arguments, Parameters, ItemSelector), filled in."""
    if jsonata:
        return states._apply_jsonata_template(value, given, ctx)
    return states._resolve_params_obj(value, given, ctx)


def number(state: State, name: str, given: Any, ctx: Context) -> float:
    """A field that is a number, or a JSONata expression or a path to one; 0 when absent."""
    value = state.get(name, 0)
    if f"{name}Path" in state:
        value = states._resolve_path_or_ctx(state[f"{name}Path"], given, ctx)
    elif isinstance(value, str) and value.startswith("{%"):
        value = states._jsonata_state_field(state, name, "number", given, ctx)
    if isinstance(value, bool) or not isinstance(value, int | float):
        # As CreateStateMachine does: "20" in quotes is not a number.
        raise states._ExecutionError("States.Runtime", f"{name} is not a number: {value!r}")
    return value


def items_of(
    state: State, given: Any, effective: Any, ctx: Context, *, role_arn: str, jsonata: bool
) -> list[Any]:
    """The items, each as its child execution gets it."""
    if "ItemReader" in state:
        source = given if jsonata else effective
        reader = evaluated(state["ItemReader"], source, ctx, jsonata=jsonata)
        items = _read(reader, effective, ctx, role_arn)
    elif jsonata and "Items" in state:
        items = states._jsonata_state_field(state, "Items", "array", given, ctx)
    else:
        items = states._resolve_path_or_ctx(state.get("ItemsPath", "$"), effective, ctx)
    if not isinstance(items, list):
        raise states._ExecutionError(FAILED, "The items of a Map have to be a JSON array")
    selector = state.get("ItemSelector") or state.get("Parameters")
    if selector is not None:
        source = given if jsonata else effective
        items = [
            evaluated(selector, source, _item_context(ctx, index, item), jsonata=jsonata)
            for index, item in enumerate(items)
        ]
    return _batched(items, state.get("ItemBatcher"), given, ctx, jsonata=jsonata)


def _item_context(ctx: Context, index: int, item: Any) -> Context:
    return {**ctx, "Map": {"Item": {"Index": index, "Value": item}}}


def _read(reader: State, effective: Any, ctx: Context, role_arn: str) -> list[Any]:
    arguments = reader.get("Arguments") or reader.get("Parameters") or {}
    config = reader.get("ReaderConfig") or {}
    bucket = arguments.get("Bucket", "")
    if reader.get("Resource", "").endswith(":listObjectsV2"):
        require_right(role_arn, Need("s3:ListBucket", f"arn:aws:s3:::{bucket}", FAILED))
        listed: list[Any] = states._read_map_items(reader, effective, ctx)
        return listed
    try:
        answer = role_client("s3", role_arn).get_object(Bucket=bucket, Key=arguments.get("Key"))
    except ClientError as error:
        where = f"s3://{bucket}/{arguments.get('Key')}"
        raise states._ExecutionError(FAILED, f"{where}: {error}") from error
    body: bytes = answer["Body"].read()
    text = (gzip.decompress(body) if body.startswith(GZIP_MAGIC) else body).decode()
    items: list[Any] = states._parse_reader_items(text, config)
    return items[: int(config["MaxItems"])] if config.get("MaxItems") else items


def _batched(
    items: list[Any], batcher: State | None, given: Any, ctx: Context, *, jsonata: bool
) -> list[Any]:
    if batcher is None:
        return items
    shared = {}
    if "BatchInput" in batcher:
        shared["BatchInput"] = evaluated(batcher["BatchInput"], given, ctx, jsonata=jsonata)
    count = int(number(batcher, "MaxItemsPerBatch", given, ctx)) or len(items) or 1
    return [
        {**shared, "Items": items[first : first + count]} for first in range(0, len(items), count)
    ]
