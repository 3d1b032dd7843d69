"""What an ONNX file says of itself, without ONNX: of the message `onnx.ModelProto` a few fields.

It is built here from the field numbers of onnx/onnx.proto; weights and nodes are passed over.
https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
"""

from __future__ import annotations

from functools import cache
from typing import Any

from google.protobuf import (  # type: ignore[import-untyped] # protobuf ships no types
    descriptor_pb2,
    descriptor_pool,
    message_factory,
)
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from imagemill_contract.errors import ModelError
from imagemill_contract.network.description import Description, Tensor

# Of `onnx.TensorProto.DataType`, as ONNX Runtime calls them.
_KINDS = {1: "float", 2: "uint8", 3: "int8", 6: "int32", 7: "int64", 10: "float16", 11: "double"}
_ELSEWHERE = 1  # of `onnx.TensorProto.DataLocation`: weights in a file beside the model


def described(body: bytes) -> Description:
    """Inputs, outputs and metadata of a model. Raises ModelError for what is no ONNX file."""
    model = _model_class()()
    try:
        model.ParseFromString(body)
    except DecodeError:
        raise ModelError("recipe.model: it is no ONNX file.") from None
    graph = model.graph
    if not (model.ir_version and graph.output):
        raise ModelError("recipe.model: it is no ONNX file.")
    if any(weight.data_location == _ELSEWHERE for weight in graph.initializer):
        raise ModelError("recipe.model: its weights are in another file; it must hold them.")
    weights = {weight.name for weight in graph.initializer}
    return Description(
        {item.name: _tensor(item) for item in graph.input if item.name not in weights},
        {item.name: _tensor(item) for item in graph.output},
        {item.key: item.value for item in model.metadata_props},
    )


def _tensor(item: Any) -> Tensor:
    """A value's type; one that is no tensor has no axes."""
    tensor = item.type.tensor_type
    kind = f"tensor({_KINDS.get(tensor.elem_type, f'type {tensor.elem_type}')})"
    axes = [
        axis.dim_value if axis.HasField("dim_value") else axis.dim_param or None
        for axis in tensor.shape.dim
    ]
    return Tensor(kind, axes)


@cache
def _model_class() -> Any:
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="imagemill/onnx_head.proto", package="onnx", syntax="proto2"
    )

    def message(name: str, *of: tuple[str, int, int | str], many: tuple[str, ...] = ()) -> None:
        """Add a message; the kind of a field is a scalar, or the name of another message."""
        added = file.message_type.add(name=name)
        for title, number, kind in of:
            label = field.LABEL_REPEATED if title in many else field.LABEL_OPTIONAL
            more = {"type_name": f".onnx.{kind}"} if isinstance(kind, str) else {}
            scalar = field.TYPE_MESSAGE if isinstance(kind, str) else kind
            added.field.add(name=title, number=number, type=scalar, label=label, **more)

    text, whole = field.TYPE_STRING, field.TYPE_INT64
    message("Axis", ("dim_value", 1, whole), ("dim_param", 2, text))
    message("Shape", ("dim", 1, "Axis"), many=("dim",))
    message("TensorType", ("elem_type", 1, field.TYPE_INT32), ("shape", 2, "Shape"))
    message("Type", ("tensor_type", 1, "TensorType"))
    message("Value", ("name", 1, text), ("type", 2, "Type"))
    message("Weight", ("name", 8, text), ("data_location", 14, field.TYPE_INT32))
    message("Entry", ("key", 1, text), ("value", 2, text))
    message(
        "Graph",
        *(("initializer", 5, "Weight"), ("input", 11, "Value"), ("output", 12, "Value")),
        many=("initializer", "input", "output"),
    )
    message(
        "Model",
        *(("ir_version", 1, whole), ("graph", 7, "Graph"), ("metadata_props", 14, "Entry")),
        many=("metadata_props",),
    )
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("onnx.Model"))
