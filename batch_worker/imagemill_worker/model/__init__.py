"""The model stage: resized pictures in; vectors, scores or pictures of a neural network out.

Takes a shard and an ONNX file, and writes one file and one outcome for each picture. Only this room
imports `onnxruntime`, which the base image lacks. May import `pixels`, `errors`, `progress`,
`journal`, `meter`, `stores`, and of `lanes` what reads and writes objects.
"""
