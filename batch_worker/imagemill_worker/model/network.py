"""A neural network in an ONNX file, checked against what is asked of it, ready to run."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from imagemill_contract.keys import ModelOutput
from imagemill_worker.errors import ArgumentsError, TryAgainError
from imagemill_worker.model.settings import (
    Channels,
    Layout,
    Preprocessing,
    labels_of,
    preprocessing_of,
)

if TYPE_CHECKING:
    import onnxruntime

_GPU, _CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
_DEFAULT_BATCH = 32
Tensor = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class InputShape:
    """What a network takes.

    Attributes:
        batch: Pictures that it takes at once.
        is_fixed: Whether it takes neither more nor fewer.
    """

    batch: int
    is_fixed: bool
    height: int
    width: int
    layout: Layout


@dataclass(frozen=True, slots=True)
class _RuntimeErrors:
    """What ONNX Runtime raises: for what no attempt changes, and for what may pass."""

    lasting: tuple[type[Exception], ...]
    passing: tuple[type[Exception], ...]


def runtime_errors() -> _RuntimeErrors:
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    lasting = (
        *(state.InvalidArgument, state.InvalidGraph, state.InvalidProtobuf, state.NoModel),
        state.NotImplemented,
    )
    return _RuntimeErrors(lasting, (state.EPFail, state.Fail, state.RuntimeException, RuntimeError))


@dataclass(frozen=True, slots=True)
class Network:
    """A network and what surrounds it."""

    session: onnxruntime.InferenceSession
    sha256: str
    output: ModelOutput
    shape: InputShape
    preprocessing: Preprocessing
    labels: Sequence[str]

    def run(self, pictures: Tensor) -> NDArray[Any]:
        """Its output for a batch, the first axis of which is that of the pictures.

        Raises:
            ArgumentsError: The network cannot take such pictures.
            TryAgainError: It failed for want of memory, or of its device.
        """
        name = self.session.get_inputs()[0].name
        wanted = self.preprocessing.output or self.session.get_outputs()[0].name
        errors = runtime_errors()
        try:
            (found,) = self.session.run([wanted], {name: pictures})
        except errors.lasting as error:
            raise ArgumentsError(f"The model does not take the pictures: {error}") from error
        except errors.passing as error:
            raise TryAgainError(f"The model failed: {error}") from error
        result: NDArray[Any] = np.asarray(found)
        check_output(result.shape, self.output, len(pictures))
        return result


def open_network(
    body: bytes, output: ModelOutput, declared: str, *, gpu: bool, threads: int
) -> Network:
    """The network in an ONNX file, on the GPU if one is asked for, and never on the CPU instead.

    Raises ArgumentsError with one sentence if it is no such file, does not fit, or has no GPU.
    """
    session = _session(body, gpu=gpu, threads=threads)
    metadata = dict(session.get_modelmeta().custom_metadata_map)
    preprocessing = preprocessing_of(declared, metadata)
    inputs = session.get_inputs()
    if len(inputs) != 1:
        raise ArgumentsError(f"The model has {len(inputs)} inputs; it must have one, a picture.")
    if inputs[0].type != "tensor(float)":
        raise ArgumentsError(f"The model takes a {inputs[0].type}; it must take a tensor(float).")
    shape = input_shape(inputs[0].shape, preprocessing)
    names = {item.name: item.shape for item in session.get_outputs()}
    name = preprocessing.output or next(iter(names))
    if name not in names:
        raise ArgumentsError(f"The model has no output {name!r}; it has {', '.join(names)}.")
    check_output(names[name], output, None)
    digest = hashlib.sha256(body).hexdigest()
    return Network(session, digest, output, shape, preprocessing, labels_of(metadata))


def _session(body: bytes, *, gpu: bool, threads: int) -> onnxruntime.InferenceSession:
    if importlib.util.find_spec("onnxruntime") is None:
        raise ArgumentsError(
            "There is no ONNX Runtime here; it is in batch_worker/requirements-model.txt."
        )
    import onnxruntime

    provider = _GPU if gpu else _CPU
    there = onnxruntime.get_available_providers()
    if provider not in there:
        raise ArgumentsError(f"A GPU was asked for, but ONNX Runtime has only {', '.join(there)}.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors: they are raised, too
    errors = runtime_errors()
    try:
        session = onnxruntime.InferenceSession(body, options, providers=[provider])
    except (*errors.lasting, *errors.passing) as error:
        first_line = str(error).partition("\n")[0]
        raise ArgumentsError(f"The model is no ONNX file that can be run: {first_line}") from error
    if session.get_providers()[0] != provider:
        raise ArgumentsError("A GPU was asked for, but ONNX Runtime finds none.")
    session.disable_fallback()
    return session


def input_shape(declared: Sequence[object], preprocessing: Preprocessing) -> InputShape:
    """What a network with that input takes. Raises ArgumentsError where the two do not fit."""
    if len(declared) != 4:
        raise ArgumentsError(f"The model's input has {len(declared)} axes; pictures have 4.")
    count = 1 if preprocessing.channels is Channels.GREY else 3
    layout = preprocessing.layout or (
        Layout.NHWC if declared[3] == count and declared[1] != count else Layout.NCHW
    )
    axes = (1, 2, 3) if layout is Layout.NCHW else (3, 1, 2)
    channels, rows, columns = (declared[axis] for axis in axes)
    if isinstance(channels, int) and channels != count:
        raise ArgumentsError(
            f"The model takes {channels} channels in layout {layout}, but "
            f"{preprocessing.channels} are {count}."
        )
    height = _side("height", rows, preprocessing.height)
    width = _side("width", columns, preprocessing.width)
    batch = declared[0]
    if isinstance(batch, int):
        return InputShape(batch, True, height, width, layout)
    return InputShape(_DEFAULT_BATCH, False, height, width, layout)


def _side(name: str, of_model: object, declared: int) -> int:
    if isinstance(of_model, int):
        if declared not in (0, of_model):
            raise ArgumentsError(f"preprocessing.{name} is {declared}, but the model's {of_model}.")
        return of_model
    if not declared:
        raise ArgumentsError(f"The model takes any {name}; preprocessing.{name} must say which.")
    return declared


def check_output(shape: Sequence[object], output: ModelOutput, count: int | None) -> None:
    """Raises ArgumentsError if an output of that shape cannot be what is asked for.

    `count` is how many pictures it is for; None as long as that is open.
    """
    axes = {ModelOutput.VECTOR: (2, 3, 4), ModelOutput.SCORES: (1, 2), ModelOutput.IMAGE: (3, 4)}
    if len(shape) not in axes[output]:
        allowed = " or ".join(map(str, axes[output]))
        raise ArgumentsError(
            f"The model's output has {len(shape)} axes; a batch of {output} has {allowed}."
        )
    if count is not None and shape[0] != count:
        raise ArgumentsError(f"The model gave {shape[0]} results for {count} pictures.")
    if output is ModelOutput.IMAGE and len(shape) == 4:
        channels = [side for side in (shape[1], shape[3]) if side in (1, 3)]
        if not channels and all(isinstance(side, int) for side in (shape[1], shape[3])):
            raise ArgumentsError(f"The model's pictures have {shape[1]} channels, not 1 or 3.")
