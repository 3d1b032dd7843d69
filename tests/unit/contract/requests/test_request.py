from __future__ import annotations

import pytest

from imagemill_contract.errors import RequestError
from imagemill_contract.locations import Location
from imagemill_contract.recipe import Recipe
from imagemill_contract.requests.request import RunRequest


def test_source_alone_is_a_request_with_the_default_recipe() -> None:
    request = RunRequest.from_document({"source": "s3://bucket/full"}, allow_files=False)
    assert request == RunRequest(recipe=Recipe(), source=Location("s3://bucket", "full/"))


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({}, 'The input must have a "source"'),
        ([], "is not an object of fields"),
        ({"source": "s3://bucket/", "window": "20261123T101500Z-60s"}, 'must have a "source"'),
        ({"source": "s3://bucket/", "sizes": 3}, 'input: unknown field "sizes"; allowed are'),
        ({"source": "s3://bucket/", "recipe": {"size": 0}}, "recipe.size: 0 is not allowed"),
        ({"source": "bucket"}, 'source: "bucket" is not allowed; it must be s3://bucket/prefix/'),
        ({"source": "file:///etc/"}, 'source: "file:///etc/" is not allowed; it must be s3://'),
        ({"source": "s3://b-c/", "output": "file:///etc/"}, "output: "),
        ({"window": "x"}, 'window: "x" is not the name of a window'),
        ({"source": "s3://bucket/", "shards": 0}, "shards: 0 is not allowed; it must be a whole"),
        ({"source": "s3://b-c/", "alone": True}, 'alone: needs an "output" that is a folder'),
        ({"source": "s3://b-c/", "alone": 1}, "alone: 1 is not allowed; it must be true or false"),
        ({"source": "s3://b-c/", "full": "yes"}, 'full: "yes" is not allowed; it must be true'),
    ],
)
def test_bad_request_gets_one_clear_sentence(document: object, sentence: str) -> None:
    with pytest.raises(RequestError) as raised:
        RunRequest.from_document(document, allow_files=False)
    assert sentence in str(raised.value)


def test_files_are_accepted_where_the_stack_allows_them() -> None:
    document = {"source": "file:///photos/", "output": "file:///out/"}
    request = RunRequest.from_document(document, allow_files=True)
    assert request.output == Location("file:///out")
    assert not request.alone
    assert RunRequest.from_document({**document, "alone": True}, allow_files=True).alone
