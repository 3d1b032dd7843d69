from __future__ import annotations

from imagemill_app.plan.earlier.deleted import deleted_outputs, own_outputs
from imagemill_app.plan.source.existing import Existing
from imagemill_contract.keys import output_key, stages_of
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Reason
from imagemill_contract.output_names import keeps_its_name
from imagemill_contract.recipe import Output, Recipe
from imagemill_dataset.index import Entry, IndexedRun, Place

SOURCE = Location("s3://input-bucket", "full/")
RECIPE = Recipe()
PACKED_RECIPE = Recipe(output=Output.PARQUET)
RUN = IndexedRun("run-1", "2026-11-23T10:00:00.000Z", str(SOURCE), RECIPE.to_document())


def done(etag: str = "e1", reason: Reason | None = None) -> Entry:
    return Entry(etag, reason, RUN)


def packed(run: IndexedRun, shard: str, position: int = 0) -> Entry:
    return Entry("e1", None, run, place=Place(shard, position, 8, 8, 9, 3, "ab" * 32))


def test_outputs_of_a_deleted_source_that_another_has_are_not_its_own() -> None:
    def own(relative: str, *existing: str) -> list[str]:
        keys = Existing(SOURCE, frozenset(f"full/{name}" for name in existing))
        changed = {
            output_key(stage, name, Recipe())
            for name in existing
            for stage in stages_of(Recipe())
            if not keeps_its_name(name, 4)
        }
        return own_outputs(relative, "full/", keys, frozenset(changed), Recipe())

    assert own("a", "b") == ["resized/a.jpg", "edges/a.png"]
    assert own("a", "a.jpg") == ["edges/a.png"]
    assert own("a.jpg", "a") == ["edges/a.jpg.png"]
    assert own("a.jpg", "a.jpg.png") == ["resized/a.jpg"]
    assert own("a//b", "a/b") == ["resized/a/%2Fb.jpg", "edges/a/%2Fb.png"]
    assert own("a/%2Fb.jpg", "a//b.jpg") == []


def test_every_size_of_a_deleted_source_is_its_own() -> None:
    recipe = Recipe.from_document({"sizes": [64, 128]})
    existing = Existing(SOURCE, frozenset({"full/b.jpg", "full/c"}))
    assert own_outputs("a.jpg", "full/", existing, frozenset(), recipe) == [
        *("resized/128/a.jpg", "resized/64/a.jpg"),
        *("edges/128/a.jpg.png", "edges/64/a.jpg.png"),
    ]
    assert own_outputs("c.jpg", "full/", existing, frozenset(), recipe) == [
        *("edges/128/c.jpg.png", "edges/64/c.jpg.png"),
    ]


def test_deleted_source_of_a_dataset_has_no_outputs() -> None:
    packing = IndexedRun("run-2", "2026", str(SOURCE), PACKED_RECIPE.to_document())
    entries = {
        "a.jpg": packed(packing, "dataset/x.tar"),
        "b.jpg": Entry("e1", Reason.CORRUPT, packing),
        "c.jpg": done(),
    }
    assert deleted_outputs(entries, SOURCE, Existing(SOURCE, frozenset()), PACKED_RECIPE) == {
        "a.jpg": [],
        "b.jpg": [],
        "c.jpg": ["resized/c.jpg", "edges/c.jpg.png"],
    }


def test_outputs_of_a_deleted_source_that_an_awkward_name_shares_stay() -> None:
    entries = {"a/%2Fb.jpg": done(), "c.jpg": done()}
    existing = Existing(SOURCE, frozenset({"full/a//b.jpg"}))
    found = deleted_outputs(entries, SOURCE, existing, RECIPE)
    assert found == {"a/%2Fb.jpg": [], "c.jpg": ["resized/c.jpg", "edges/c.jpg.png"]}
