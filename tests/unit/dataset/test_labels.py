from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill_contract.errors import DocumentError
from imagemill_dataset.labels import batch_key, encode_batch, first_number, numbers_of, text_of

classes = st.text(min_size=1, max_size=5)


@given(st.lists(st.sets(classes, min_size=1, max_size=5), max_size=6))
def test_number_of_a_class_never_changes_when_others_are_added(batches: list[set[str]]) -> None:
    documents: dict[str, bytes] = {}
    known: dict[str, int] = {}
    for batch in batches:
        new = batch - set(known)
        if new:
            documents[batch_key(len(known))] = encode_batch(new)
        numbers = numbers_of(documents)
        assert {name: numbers[name] for name in known} == known
        assert sorted(numbers.values()) == list(range(len(numbers)))
        known = numbers
    assert set(known) == set().union(*batches)


@given(st.integers(0, 10**12))
def test_key_of_a_batch_says_its_first_number(first: int) -> None:
    assert first_number(batch_key(first)) == first


@pytest.mark.parametrize("key", ["dataset/labels.txt", "dataset/labels/1.json", "labels/00000001"])
def test_other_keys_are_no_batches(key: str) -> None:
    assert first_number(key) is None
    with pytest.raises(DocumentError):
        numbers_of({key: encode_batch(["a"])})


@pytest.mark.parametrize(
    "batches",
    [
        {1: encode_batch(["a"])},
        {0: encode_batch(["a"]), 2: encode_batch(["b"])},
        {0: encode_batch(["a", "b"]), 1: encode_batch(["c"])},
        {0: encode_batch(["a"]), 1: encode_batch(["a"])},
        {0: b'{"v":2,"classes":["a"]}'},
        {0: b'{"v":1,"classes":[]}'},
        {0: b"[]"},
        {0: b"{"},
    ],
)
def test_batches_that_do_not_number_each_class_once_are_refused(batches: dict[int, bytes]) -> None:
    with pytest.raises(DocumentError):
        numbers_of({batch_key(first): body for first, body in batches.items()})


def test_line_n_of_the_text_is_class_n() -> None:
    assert text_of({"owls": 2, "cats": 0, "日本": 1}) == "cats\n日本\nowls\n"
