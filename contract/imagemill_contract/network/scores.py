"""What is said of a picture by a model for scores, and of an expression over them."""

from __future__ import annotations

from collections.abc import Sequence

from imagemill_contract.errors import ModelError


def scores_document(numbers: Sequence[float], labels: Sequence[str]) -> dict[str, object]:
    """What is said of a picture: `scores`, by labels if there are any; `predicted` is the best one.

    `score` where there is one. Raises ModelError for another number of labels.
    """
    if labels and len(labels) != len(numbers):
        raise ModelError(f"The model gives {len(numbers)} scores, but has {len(labels)} labels.")
    document: dict[str, object] = {"scores": list(numbers)}
    if labels:
        document = {"scores": dict(zip(labels, numbers, strict=True))}
        document["predicted"] = max(zip(numbers, labels, strict=True), key=lambda pair: pair[0])[1]
    if len(numbers) == 1:
        document["score"] = numbers[0]
    return document


def keeping_sentence(expression: str, error: Exception) -> str:
    """Why a recipe's `keep_if` cannot be evaluated."""
    why = f"there is no {error}" if isinstance(error, KeyError) else str(error)
    return f"recipe.keep_if: {expression} cannot be evaluated: {why}."
