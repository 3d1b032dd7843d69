"""A neural network in an ONNX file, checked against what is asked of it, ready to run."""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from imagemill_contract.errors import ModelError
from imagemill_contract.network.description import Description, Tensor
from imagemill_contract.network.shapes import check_output
from imagemill_contract.network.use import NetworkUse, use_of
from imagemill_contract.recipe import Recipe
from imagemill_worker.errors import ArgumentsError, TryAgainError

if TYPE_CHECKING:
    import onnxruntime

_GPU, _CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
Batch = NDArray[np.float32]


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
    """A network, ready to run, and how it is used."""

    session: onnxruntime.InferenceSession
    use: NetworkUse

    def run(self, pictures: Batch) -> NDArray[Any]:
        """Its output for a batch, the first axis of which is that of the pictures.

        Raises:
            ModelError: The network cannot take such pictures.
            TryAgainError: It failed for want of memory, or of its device.
        """
        errors = runtime_errors()
        try:
            (found,) = self.session.run([self.use.output], {self.use.input: pictures})
        except errors.lasting as error:
            raise ModelError(f"The model does not take the pictures: {error}") from error
        except errors.passing as error:
            raise TryAgainError(f"The model failed: {error}") from error
        result: NDArray[Any] = np.asarray(found)
        check_output(result.shape, self.use.kind, len(pictures))
        return result


def open_network(body: bytes, recipe: Recipe, *, gpu: bool, threads: int) -> Network:
    """The network in an ONNX file, on the GPU if one is asked for, and never on the CPU instead.

    Raises ModelError with one sentence if it is not the recipe's, no such file, or does not fit;
    ArgumentsError if there is no GPU, or nothing that could run it.
    """
    digest = hashlib.sha256(body).hexdigest()
    if recipe.model_sha256 not in ("", digest):
        raise ModelError(
            f"The model is another one since the run was planned: its SHA-256 is {digest}, not "
            f"{recipe.model_sha256}."
        )
    session = _session(body, gpu=gpu, threads=threads)
    described = Description(
        {item.name: Tensor(item.type, item.shape) for item in session.get_inputs()},
        {item.name: Tensor(item.type, item.shape) for item in session.get_outputs()},
        dict(session.get_modelmeta().custom_metadata_map),
    )
    declared = dict(recipe.model_preprocessing)
    use = use_of(described, recipe.model_output, declared, recipe.model_labels)
    return Network(session, use)


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
        raise ModelError(f"The model is no ONNX file that can be run: {first_line}") from error
    if session.get_providers()[0] != provider:
        raise ArgumentsError("A GPU was asked for, but ONNX Runtime finds none.")
    session.disable_fallback()
    return session
