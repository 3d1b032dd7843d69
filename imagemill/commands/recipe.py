"""`imagemill recipe check`: the recipe that counts, and where each value is from."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from imagemill.display.lines import print_json
from imagemill.options.recipe_layers import DEFAULT, Layer, sourced_values


def show_recipe(layers: Sequence[Layer], *, as_json: bool) -> None:
    """Print every field with its value and source. Raises UsageError for a recipe that is none."""
    values = sourced_values(layers)
    if as_json:
        print_json({item.field: {"value": item.value, "source": item.source} for item in values})
        return
    table = Table(box=None, pad_edge=False)
    for name in ("field", "value", "from"):
        table.add_column(name, overflow="fold")
    for item in values:
        style = "dim" if item.source == DEFAULT else ""
        value = json.dumps(item.value, ensure_ascii=False).strip('"')
        table.add_row(item.field, Text(value), Text(item.source), style=style)
    Console().print(table)
