from __future__ import annotations

from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from imagemill_dataset.files.yaml_text import yaml_lines

TEXTS = st.text(st.characters(codec="utf-8")) | st.sampled_from(["yes", "null", "\u2028", "\x85"])
SCALARS = st.none() | st.booleans() | st.integers() | TEXTS
FIELDS: st.SearchStrategy[Any] = st.recursive(
    st.dictionaries(TEXTS, SCALARS, min_size=1, max_size=3),
    lambda inner: st.dictionaries(
        TEXTS, inner | st.lists(inner | SCALARS, max_size=3) | SCALARS, min_size=1, max_size=3
    ),
    max_leaves=8,
)


@given(FIELDS)
def test_yaml_readers_find_the_values_that_were_written(fields: dict[str, Any]) -> None:
    assert yaml.safe_load("\n".join(yaml_lines(fields))) == fields


def test_blocks_are_written_as_people_write_them() -> None:
    lines = yaml_lines({"tags": ["a"], "configs": [{"name": "x", "files": [{"path": ["p"]}]}]})
    assert list(lines) == [
        "tags:",
        '  - "a"',
        "configs:",
        '  - name: "x"',
        "    files:",
        "      - path:",
        '          - "p"',
    ]
