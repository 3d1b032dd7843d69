from __future__ import annotations

import json

import pytest

from imagemill_dataset.files.about import about_of


def test_what_a_person_says_of_a_dataset_is_read() -> None:
    said = {"license": "cc-by-4.0", "tags": ["birds"], "description": "Birds of a garden."}
    assert about_of(json.dumps(said).encode()) == said
    assert about_of(None) == {}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"{", "about.json is not JSON"),
        (b"\xff", "about.json is not JSON"),
        (b"[1]", "about.json: [1] is not an object of fields."),
        (b'{"licence": "mit"}', 'about.json.licence: "mit" is not a text in '),
        (b'{"tags": "birds"}', 'about.json.tags: "birds" is not a text in '),
        (b'{"license": 3}', "about.json.license: 3 is not a text in "),
    ],
)
def test_a_mistake_is_told_in_one_sentence(body: bytes, told: str) -> None:
    found = about_of(body)
    assert set(found) == {"problem"}
    assert found["problem"].startswith(told)
    assert found["problem"].endswith(".")
