"""The place of a packed object says what its sample takes, from the outcomes of all stages."""

from __future__ import annotations

import pytest

from imagemill_app.results.packed_samples import sample_places
from imagemill_contract.document_parts.pictures import Rendition
from imagemill_contract.documents import Shard, SourceObject
from imagemill_contract.errors import DocumentError
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome, Reason, Status, outcome_columns
from imagemill_contract.recipe import Output, Recipe
from imagemill_dataset.index import Place

KEYS = ["cats/a.jpg", "dogs/b.jpg", "cats/c.jpg"]
SHARD = Shard(
    "run-1",
    "00000",
    Location.parse("s3://photos-in/", "source"),
    Location.parse("s3://photos-out/there/", "output"),
    Recipe(output=Output.WEBDATASET, label_from_folder=True),
    [SourceObject(key, "e", 9) for key in KEYS],
    {"cats": 0, "dogs": 1},
)
SKIPPED = Outcome(KEYS[1], Status.SKIPPED, Reason.NO_RESIZED_IMAGE)


def picture(key: str, *smaller: int) -> Outcome:
    sizes = tuple(Rendition(None, length, 8, 8, "") for length in smaller)
    return Outcome(key, Status.WRITTEN, None, "", None, 500, 128, 96, "ab" * 32, smaller=sizes)


def sample(key: str, position: int | None, *smaller: int) -> Outcome:
    made = picture(key, *smaller)
    return made._replace(output_key="there/dataset/x.tar", output_bytes=70, position=position)


def places_of(*stages: list[Outcome]) -> list[Place | None]:
    return sample_places(SHARD, [outcome_columns(outcomes) for outcomes in stages])


def test_object_without_a_sample_has_no_place_between_others() -> None:
    pictures = [picture(KEYS[0]), SKIPPED, picture(KEYS[2])]
    samples = [sample(KEYS[0], 1), SKIPPED, sample(KEYS[2], 0)]
    first, nothing, last = places_of(pictures, samples)
    assert first == Place("dataset/x.tar", 1, 128, 96, 500, 70, "ab" * 32, 0)
    assert nothing is None
    assert last == first._replace(position=0)


def test_sizes_of_edge_maps_are_in_what_is_given_beside_those_of_pictures() -> None:
    pictures, samples = [picture(KEYS[1], 40, 20)], [sample(KEYS[1], 0, 4, 2)]
    (place,) = places_of(pictures, samples)
    assert place
    assert place.given_bytes == 40 + 20 + 4 + 2


def test_stages_between_are_in_what_is_given() -> None:
    given = Outcome(KEYS[0], Status.WRITTEN, output_bytes=3000)
    (place,) = places_of([picture(KEYS[0], 40)], [given], [given], [sample(KEYS[0], 0, 4)])
    assert place
    assert place.given_bytes == 2 * 3000 + 40 + 4


@pytest.mark.parametrize("made", [SKIPPED, picture(KEYS[1])])
def test_packed_object_whose_place_nobody_knows_is_refused(made: Outcome) -> None:
    packed = sample(KEYS[1], 0 if made is SKIPPED else None)
    with pytest.raises(DocumentError, match=r"^dogs/b\.jpg is packed"):
        places_of([made], [packed])
