"""Small neural networks for the tests, with weights from a fixed seed, as ONNX files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Dimension = int | str
BATCH: Dimension = "batch"


def network(
    kind: str,
    *,
    shape: Sequence[Dimension] = (BATCH, 3, 24, 24),
    nan: bool = False,
    metadata: Mapping[str, object] | None = None,
) -> bytes:
    """A convolution with a ReLU, and behind it what makes a `vector`, `scores` or an `image`.

    With `nan`, white pictures give what is no number: the logarithm of a negative one.
    """
    draw = np.random.default_rng(2017)
    channels = shape[1] if isinstance(shape[1], int) else 3
    weights = {
        "kernel": draw.normal(0, 0.3, (8, channels, 3, 3)),
        "dense": draw.normal(0, 0.5, (8, 3)),
        "mix": draw.normal(0, 0.4, (1, 8, 1, 1)),
        "white": np.array(0.999),
    }
    nodes = [
        helper.make_node("Conv", ["picture", "kernel"], ["lines"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["lines"], ["strong"]),
    ]
    if kind == "image":
        nodes += [
            helper.make_node("Conv", ["strong", "mix"], ["mixed"]),
            helper.make_node("Sigmoid", ["mixed"], ["result"]),
        ]
        result: list[Dimension] = [shape[0], 1, *shape[2:]]
    else:
        nodes += [
            helper.make_node("GlobalAveragePool", ["strong"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["vector"]),
        ]
        last = "vector"
        if kind == "scores":
            nodes += [
                helper.make_node("MatMul", ["vector", "dense"], ["logits"]),
                helper.make_node("Softmax", ["logits"], ["scores"]),
            ]
            last = "scores"
        result = [shape[0], 3 if kind == "scores" else 8]
        nodes += _poisoned(last) if nan else [helper.make_node("Identity", [last], ["result"])]
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("result", TensorProto.FLOAT, result)],
        [
            numpy_helper.from_array(value.astype(np.float32), name)
            for name, value in weights.items()
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    helper.set_model_props(model, {key: json.dumps(item) for key, item in (metadata or {}).items()})
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _poisoned(last: str) -> list[onnx.NodeProto]:
    """Adds log(0.999 - mean brightness) x 0 to each row: NaN for a white picture, else 0."""
    return [
        helper.make_node("ReduceMean", ["picture"], ["mean4"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Sub", ["white", "mean4"], ["rest"]),
        helper.make_node("Log", ["rest"], ["log"]),
        helper.make_node("Sub", ["log", "log"], ["nothing"]),
        helper.make_node("Transpose", [last], ["turned"]),
        helper.make_node("Add", ["turned", "nothing"], ["poisoned"]),
        helper.make_node("Transpose", ["poisoned"], ["result"]),
    ]
