"""What is said of a picture by a model for scores, and of an expression over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from heapq import nlargest
from operator import itemgetter
from typing import Any

from imagemill_contract.errors import ModelError
from imagemill_contract.recipe_parts.given import Scores

MOST_INDEXED = 20  # of a picture: there are millions of rows


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


def indexed_scores(document: Mapping[str, Any]) -> Scores:
    """What the index has of such a document: all scores, or of very many the best.

    These are named by their numbers if they have no labels.
    """
    scores: Scores = document["scores"]
    if len(scores) <= MOST_INDEXED:
        return scores
    named = scores.items() if isinstance(scores, Mapping) else enumerate(scores)
    pairs = [(str(name), score) for name, score in named]
    best = {name for name, _ in nlargest(MOST_INDEXED, pairs, key=itemgetter(1))}
    return {name: score for name, score in pairs if name in best}


def keeping_sentence(expression: str, error: Exception) -> str:
    """Why a recipe's `keep_if` cannot be evaluated."""
    why = f"there is no {error}" if isinstance(error, KeyError) else str(error)
    return f"recipe.keep_if: {expression} cannot be evaluated: {why}."
