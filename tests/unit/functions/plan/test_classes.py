from __future__ import annotations

from imagemill_app.plan.sifting.classes import with_class
from imagemill_contract.documents import SourceObject
from imagemill_contract.outcomes import Reason


def test_object_without_a_folder_is_refused_for_its_label() -> None:
    objects = [SourceObject(f"full/{name}", "e", 1) for name in ("a.jpg", "cats/b.jpg")]
    sifted = with_class(objects, "full/")
    assert [item.key for item in sifted.kept] == ["full/cats/b.jpg"]
    (refused,) = sifted.refused
    assert (refused.key, refused.reason) == ("full/a.jpg", Reason.NO_LABEL)
    assert refused.detail == "It lies in no folder, so it has no class."
