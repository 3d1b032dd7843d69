"""Which pictures are kept, by an expression over their scores; no code can be in it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from simpleeval import (  # type: ignore[import-untyped] # it ships no types
    InvalidExpression,
    SimpleEval,
)

from imagemill_contract.errors import ModelError
from imagemill_contract.fields import shown
from imagemill_contract.network.scores import keeping_sentence
from imagemill_contract.outcomes import Reason
from imagemill_worker.errors import PictureError

_FAULTS = (InvalidExpression, SyntaxError, TypeError, LookupError, ArithmeticError, ValueError)


@dataclass(frozen=True, slots=True)
class Keeping:
    """A recipe's `keep_if`; an empty one keeps everything."""

    expression: str
    _parsed: ast.AST | None

    @classmethod
    def of(cls, expression: str) -> Keeping:
        """Raises ModelError for what is no expression."""
        try:
            return cls(expression, SimpleEval.parse(expression) if expression else None)
        except _FAULTS as error:
            raise ModelError(keeping_sentence(expression, error)) from error

    def check(self, scores: Mapping[str, object]) -> None:
        """Raises PictureError `not_kept` unless it holds, ModelError if that cannot be told."""
        if self._parsed is None:
            return
        evaluator = SimpleEval(names=dict(scores), functions={})
        try:
            holds = evaluator.eval(self.expression, previously_parsed=self._parsed)
        except _FAULTS as error:
            raise ModelError(keeping_sentence(self.expression, error)) from error
        if not holds:
            raise PictureError(
                Reason.NOT_KEPT, f"{self.expression} does not hold: {_said(scores)}."
            )


def _said(scores: Mapping[str, object]) -> str:
    """What decided, for people."""
    if "score" in scores:
        return f"score is {scores['score']}"
    return f"scores are {shown(scores['scores'])}"
