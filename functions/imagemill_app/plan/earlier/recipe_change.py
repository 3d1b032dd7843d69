"""What is different in a recipe since an earlier run, as a reason to do pictures again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from imagemill_contract.errors import ContractError
from imagemill_contract.recipe import Recipe
from imagemill_contract.recipe_parts.earlier import as_of_today


def change_of(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """One phrase that says what is different in a recipe; empty if nothing is."""
    has_labels, before = "model_labels" in before, _with_defaults(before)
    if now.get("model") and before.get("model"):
        if before["model_sha256"] == now["model_sha256"]:  # wherever it lies
            before = {**before, "model": now["model"]}
            if not has_labels:  # of an earlier release, which had them from the model all the same
                before = {**before, "model_labels": now["model_labels"]}
        elif {**before, **_model_of(now)} == now:
            return "model changed"
    if before.get("sizes") != now.get("sizes") and {**before, **_size_fields(now)} == now:
        return f"sizes changed: {_sizes_of(before)} -> {_sizes_of(now)}"
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    changes = [f"{name} {before.get(name)} -> {now.get(name)}" for name in names]
    return f"recipe changed: {', '.join(changes)}" if changes else ""


def _model_of(recipe: Mapping[str, Any]) -> dict[str, Any]:
    return {name: recipe[name] for name in ("model", "model_sha256", "model_labels")}


def _size_fields(recipe: Mapping[str, Any]) -> dict[str, Any]:
    return {name: recipe[name] for name in ("size", "sizes")}


def _sizes_of(recipe: Mapping[str, Any]) -> str:
    return ", ".join(map(str, recipe["sizes"] or [recipe["size"]]))


def _with_defaults(recipe: Mapping[str, Any]) -> Mapping[str, Any]:
    """An earlier recipe with all the fields of today."""
    then = as_of_today(recipe)
    try:
        return Recipe.from_document(then).to_document()
    except ContractError:  # it has a field that is gone, which is named as a difference
        return {**Recipe().to_document(), **then}
