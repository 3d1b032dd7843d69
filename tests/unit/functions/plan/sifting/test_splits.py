from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from imagemill_app.plan.sifting.splits import planned_splits
from imagemill_contract.documents import SourceObject
from imagemill_contract.recipe import Output, Recipe
from imagemill_contract.recipe_parts.columns import ColumnType
from imagemill_dataset.index import Entry, IndexedRun, Place
from imagemill_dataset.names import split_of

RECIPE = Recipe(
    output=Output.WEBDATASET,
    label_from_folder=True,
    stratify=True,
    split=(("test", 0.1), ("train", 0.7), ("validation", 0.2)),
)
CLASSES = ("cat/", "dog/", "owl/")
NAMES = st.lists(
    st.builds("{}{}.jpg".format, st.sampled_from(CLASSES), st.integers(0, 999)),
    max_size=80,
    unique=True,
)


def objects_of(names: list[str]) -> list[SourceObject]:
    return [SourceObject("full/" + name, "e", 1) for name in sorted(names)]


def splits(names: list[str], known: dict[str, Entry], recipe: Recipe = RECIPE) -> dict[str, str]:
    found = planned_splits(objects_of(names), "full/", recipe, known)
    return {key.removeprefix("full/"): split for key, split in found.items()}


def indexed(found: dict[str, str], recipe: Recipe = RECIPE) -> dict[str, Entry]:
    """What the index says of samples with these splits."""
    run = IndexedRun("run-1", "2026", "s3://input/full/", recipe.to_document())

    def entry(split: str) -> Entry:
        shard = f"dataset/images-{split}-0a1b2c3d-00000-0000.tar"
        return Entry("e", None, run, place=Place(shard, 0, 8, 8, 9, 3, "ab" * 32, 0))

    return {name: entry(split) for name, split in found.items()}


def check_shares(found: dict[str, str], names: set[str]) -> None:
    """Every class among the names has its share of each split, to within one picture."""
    for folder in CLASSES:
        members = [name for name in names if name.startswith(folder)]
        for split, share in RECIPE.split:
            count = sum(found[name] == split for name in members)
            assert abs(count - share * len(members)) <= 1 + 1e-9


@given(NAMES)
def test_every_class_has_its_share_of_each_split_to_within_one_picture(names: list[str]) -> None:
    found = splits(names, {})
    assert set(found) == set(names)
    check_shares(found, set(names))


@given(NAMES, NAMES)
def test_a_picture_keeps_its_split_whatever_comes_later(first: list[str], more: list[str]) -> None:
    before = splits(first, {})
    after = splits(sorted({*first, *more}), indexed(before))
    assert {name: after[name] for name in first} == before
    check_shares(after, {*more} - {*first})


@given(NAMES, st.randoms())
def test_splits_depend_on_the_pictures_and_not_on_their_order(
    names: list[str], random: object
) -> None:
    mixed = objects_of(names)
    random.shuffle(mixed)  # type: ignore[attr-defined] # hypothesis types it as Random
    expected = planned_splits(objects_of(names), "full/", RECIPE, {})
    assert planned_splits(mixed, "full/", RECIPE, {}) == expected


def test_pictures_that_come_one_by_one_get_each_split_in_its_share() -> None:
    names = [f"cat/{number:04}.jpg" for number in range(2000)]
    drawn = [splits([name], {})[name] for name in names]
    for split, share in RECIPE.split:
        # five standard deviations of a fair draw
        assert abs(drawn.count(split) - 2000 * share) < 5 * (2000 * share * (1 - share)) ** 0.5


def test_other_shares_divide_anew() -> None:
    names = [f"cat/{number}.jpg" for number in range(10)]
    halves = replace(RECIPE, split=(("test", 0.5), ("train", 0.5)))
    found = splits(names, indexed(splits(names, {})), halves)
    assert sorted(found.values()) == ["test"] * 5 + ["train"] * 5


PEOPLE = st.dictionaries(
    st.integers(0, 99), st.none() | st.sampled_from(["anna", "ben", "test", "validation"])
)


def splits_of_people(people: dict[int, str | None]) -> dict[int, str]:
    """The splits of pictures whose column `person` has these values."""
    columns = (("person", ColumnType.TEXT),)
    recipe = replace(RECIPE, stratify=False, columns=columns, split_column="person")
    objects = [
        SourceObject(f"full/{number}.jpg", "e", 1, (name,)) for number, name in people.items()
    ]
    found = planned_splits(objects, "full/", recipe, {})
    return {number: found[f"full/{number}.jpg"] for number in people}


@given(PEOPLE, PEOPLE)
def test_a_column_names_a_split_or_a_group_that_stays_in_one_whatever_comes_later(
    people: dict[int, str | None], more: dict[int, str | None]
) -> None:
    found = splits_of_people(people | more)
    for name in ("test", "validation"):
        assert all(found[number] == name for number, who in (people | more).items() if who == name)
    for name in ("anna", "ben"):
        assert len({found[number] for number, who in (people | more).items() if who == name}) <= 1
    alone = {number: found[number] for number, who in (people | more).items() if who is None}
    assert alone == {n: split_of(f"{n}.jpg", RECIPE.split) for n in alone}
    kept = {number: who for number, who in people.items() if number not in more}
    assert splits_of_people(kept).items() <= found.items()


def test_nothing_is_planned_unless_classes_are_to_have_their_shares() -> None:
    assert splits(["cat/a.jpg"], {}, replace(RECIPE, stratify=False)) == {}
