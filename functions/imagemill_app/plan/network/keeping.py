"""Checks what a recipe asks of scores, by trying it on a picture whose scores are all 0.5."""

from __future__ import annotations

from collections.abc import Sequence

from simpleeval import (  # type: ignore[import-untyped] # it ships no types
    InvalidExpression,
    SimpleEval,
)

from imagemill_contract.errors import ModelError
from imagemill_contract.network.description import Axes
from imagemill_contract.network.scores import keeping_sentence, scores_document

_FAULTS = (InvalidExpression, SyntaxError, TypeError, LookupError, ArithmeticError, ValueError)


def check_keeping(expression: str, axes: Axes, labels: Sequence[str]) -> None:
    """Raises ModelError for what is no expression, or asks for what such a model does not give.

    `axes` are those of the model's output. How many scores there are may be open.
    """
    count = 1 if len(axes) == 1 else axes[1]
    scores = [0.5] * (count if isinstance(count, int) else len(labels))
    document = scores_document(scores, labels)
    if not expression:
        return
    try:
        parsed = SimpleEval.parse(expression)
        if scores:
            SimpleEval(names=document, functions={}).eval(expression, previously_parsed=parsed)
    except _FAULTS as error:
        raise ModelError(keeping_sentence(expression, error)) from error
