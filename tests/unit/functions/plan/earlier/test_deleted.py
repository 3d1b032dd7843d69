from __future__ import annotations

from pathlib import Path, PurePosixPath

from imagemill_app.plan.earlier.deleted import deleted_outputs, deleted_sources, own_outputs
from imagemill_contract.keys import Stage, output_key
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Reason
from imagemill_contract.output_names import keeps_its_name
from imagemill_contract.recipe import ImageFormat, Output, Recipe
from imagemill_dataset.index import Entry, IndexedRun, Place

SOURCE = Location("s3://input-bucket", "full/")
RECIPE = Recipe()
PACKED_RECIPE = Recipe(output=Output.PARQUET)
RUN = IndexedRun("run-1", "2026-11-23T10:00:00.000Z", str(SOURCE), RECIPE.to_document())


def done(etag: str = "e1", reason: Reason | None = None) -> Entry:
    return Entry(etag, reason, RUN)


def packed(run: IndexedRun, shard: str, position: int = 0) -> Entry:
    return Entry("e1", None, run, place=Place(shard, position, 8, 8, 9, 3, "ab" * 32))


def test_deleted_sources_are_those_of_the_same_source_that_are_gone() -> None:
    other = IndexedRun("run-0", "2026", "s3://input-bucket/other/", RECIPE.to_document())
    entries = {"a.jpg": done(), "b.jpg": done(), "x.jpg": Entry("e", None, other)}
    assert deleted_sources(entries, SOURCE, frozenset({"full/a.jpg"})) == ["b.jpg"]


def test_what_is_hidden_in_a_folder_is_not_taken_for_deleted(tmp_path: Path) -> None:
    folder = Location.of_folder(PurePosixPath(tmp_path))
    for source, gone in ((folder, ["b.jpg"]), (SOURCE, [".a/1.jpg", "b.jpg", "c/.2.jpg"])):
        run = IndexedRun("run-0", "2026", str(source), RECIPE.to_document())
        names = [".a/1.jpg", "b.jpg", "c/.2.jpg"]
        entries = {name: Entry("e", None, run) for name in names}
        assert deleted_sources(entries, source, frozenset()) == gone


def test_outputs_of_a_deleted_source_that_another_has_are_not_its_own() -> None:
    def own(relative: str, *existing: str) -> list[str]:
        keys = frozenset(f"full/{name}" for name in existing)
        changed = {
            output_key(stage, name, ImageFormat.JPG)
            for name in existing
            for stage in Stage
            if not keeps_its_name(name, 4)
        }
        return own_outputs(relative, "full/", keys, frozenset(changed), ImageFormat.JPG)

    assert own("a", "b") == ["resized/a.jpg", "edges/a.png"]
    assert own("a", "a.jpg") == ["edges/a.png"]
    assert own("a.jpg", "a") == ["edges/a.jpg.png"]
    assert own("a.jpg", "a.jpg.png") == ["resized/a.jpg"]
    assert own("a//b", "a/b") == ["resized/a/%2Fb.jpg", "edges/a/%2Fb.png"]
    assert own("a/%2Fb.jpg", "a//b.jpg") == []


def test_deleted_source_of_a_dataset_has_no_outputs() -> None:
    packing = IndexedRun("run-2", "2026", str(SOURCE), PACKED_RECIPE.to_document())
    entries = {
        "a.jpg": packed(packing, "dataset/x.tar"),
        "b.jpg": Entry("e1", Reason.CORRUPT, packing),
        "c.jpg": done(),
    }
    assert deleted_outputs(entries, SOURCE, frozenset(), PACKED_RECIPE) == {
        "a.jpg": [],
        "b.jpg": [],
        "c.jpg": ["resized/c.jpg", "edges/c.jpg.png"],
    }


def test_outputs_of_a_deleted_source_that_an_awkward_name_shares_stay() -> None:
    entries = {"a/%2Fb.jpg": done(), "c.jpg": done()}
    found = deleted_outputs(entries, SOURCE, frozenset({"full/a//b.jpg"}), RECIPE)
    assert found == {"a/%2Fb.jpg": [], "c.jpg": ["resized/c.jpg", "edges/c.jpg.png"]}
