"""The model stage: resized pictures in; vectors, scores or pictures of a neural network out.

Takes a shard and an ONNX file, and writes one file and one outcome for each picture. Only this room
imports `onnxruntime`, which the base image lacks. May import `pixels`, `errors`, `progress`,
`journal`, `meter`, `spool`, `stores`, of `lanes` what reads and writes objects, and of `dataset`
the intermediate shard and the files of vectors.
"""
