"""The message `tf.train.Example`, without TensorFlow.

It is built here from the field numbers of tensorflow/core/example/example.proto and
feature.proto, in a pool of their own, because the process may also hold TensorFlow's. The features
are a map there. Here they are a list of entries, which is the same on the wire, because protobuf
does not define the order of a map.
https://protobuf.dev/programming-guides/proto3/#backwards
"""

from __future__ import annotations

from functools import cache
from typing import Any

from google.protobuf import (  # type: ignore[import-untyped] # protobuf ships no types
    descriptor_pb2,
    descriptor_pool,
    message_factory,
)


@cache
def example_class() -> Any:
    """The class of the message `tensorflow.Example`."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="imagemill/example.proto", package="tensorflow", syntax="proto3"
    )

    def add(to: Any, name: str, number: int, kind: int, **more: Any) -> None:
        label = more.pop("label", field.LABEL_OPTIONAL)
        to.field.add(name=name, number=number, type=kind, label=label, **more)

    lists = {"Bytes": field.TYPE_BYTES, "Float": field.TYPE_FLOAT, "Int64": field.TYPE_INT64}
    for name, kind in lists.items():
        add(file.message_type.add(name=f"{name}List"), "value", 1, kind, label=field.LABEL_REPEATED)

    feature = file.message_type.add(name="Feature")
    feature.oneof_decl.add(name="kind")
    for number, name in enumerate(lists, start=1):
        of_list = {"type_name": f".tensorflow.{name}List", "oneof_index": 0}
        add(feature, f"{name.lower()}_list", number, field.TYPE_MESSAGE, **of_list)

    features = file.message_type.add(name="Features")
    entry = features.nested_type.add(name="FeatureEntry")
    add(entry, "key", 1, field.TYPE_STRING)
    add(entry, "value", 2, field.TYPE_MESSAGE, type_name=".tensorflow.Feature")
    of_entries = {"type_name": ".tensorflow.Features.FeatureEntry", "label": field.LABEL_REPEATED}
    add(features, "feature", 1, field.TYPE_MESSAGE, **of_entries)

    example = file.message_type.add(name="Example")
    add(example, "features", 1, field.TYPE_MESSAGE, type_name=".tensorflow.Features")

    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tensorflow.Example"))
