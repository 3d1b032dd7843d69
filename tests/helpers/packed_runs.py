"""A packed run as its jobs leave it: plan, shards and outcome documents in a folder."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import Any

from imagemill_app.aggregate.run_report import RunVerdict, write_report
from imagemill_app.plan.planned_run import PlannedRun
from imagemill_contract import keys
from imagemill_contract.documents import Shard, SourceObject, encode_outcomes
from imagemill_contract.keys import Stage
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_contract.recipe import Output, Recipe
from imagemill_contract.reporting.previews import Preview
from imagemill_dataset.names import class_of, dataset_shard_key, shard_tag
from imagemill_dataset.shards import DatasetShard, PixelSums

RECIPE = Recipe(output=Output.WEBDATASET)
SHARD_ID = "00000"


class PackedRun:
    """One work shard whose pictures go into dataset shards of at most `most` samples."""

    def __init__(
        self,
        folder: Path,
        names: list[str],
        run_id: str = "run-1",
        minute: int = 1,
        recipe: Recipe = RECIPE,
        most: int = 100,
    ) -> None:
        self.folder, self.run_id, self.recipe = folder, run_id, recipe
        self.output = Location.of_folder(PurePosixPath(folder))
        self.source = Location.of_folder(PurePosixPath("/photos"))
        objects = [SourceObject(name, f"e-{run_id}", 10) for name in names]
        classes = sorted({name for item in objects if (name := class_of(item.key))})
        labels = {name: number for number, name in enumerate(classes)}
        self.shard = Shard(
            run_id,
            SHARD_ID,
            self.source,
            self.output,
            recipe,
            objects,
            labels if recipe.label_from_folder else {},
        )
        tag = shard_tag(run_id, SHARD_ID)
        self.shards: list[DatasetShard] = []
        self.resized: list[Outcome] = []
        self.edges: list[Outcome] = []
        for number, first in enumerate(range(0, len(names), most)):
            key = dataset_shard_key("images", "train", tag, number, recipe.output)
            self._pack(key, names[first : first + most])
        self.previews: list[Preview] = []
        self.document = self._document(f"2026-11-23T10:{minute:02}:00.000Z")

    def _pack(self, key: str, names: list[str]) -> None:
        body = f"{self.run_id} {key} {names}".encode()
        self._put(key, body)
        intermediate = keys.intermediate_key(self.run_id, SHARD_ID, "piece")
        digest = hashlib.sha256(body).hexdigest()
        for position, name in enumerate(names):
            size: dict[str, Any] = {"position": position, "width": 128, "height": 96}
            written: dict[str, Any] = {"status": Status.WRITTEN, "output_bytes": 50, **size}
            self.resized.append(Outcome(name, output_key=intermediate, sha256=digest, **written))
            self.edges.append(Outcome(name, output_key=key, **written))
        sums = PixelSums(100, (100, 200, 300), (1000, 2000, 3000))
        self.shards.append(DatasetShard(key, "train", len(names), len(body), digest, sums))

    def reject(self, place: int) -> None:
        """Let the resize reject a picture that lies last in its dataset shard."""
        name = self.resized[place].key
        self.resized[place] = Outcome(name, Status.REJECTED, Reason.TRUNCATED)
        self.edges[place] = Outcome(name, Status.SKIPPED, Reason.NO_RESIZED_IMAGE)
        last = self.shards.pop()
        self.shards.append(
            DatasetShard(
                last.key, last.split, last.samples - 1, last.bytes, last.sha256, last.pixels
            )
        )

    def put(self, **verified: int) -> PackedRun:
        """Write everything that is there when the run is aggregated."""
        samples = sum(shard.samples for shard in self.shards)
        header: dict[str, object] = {
            "shards": [shard.to_row() for shard in self.shards],
            "verified": {"shards": len(self.shards), "samples": samples, **verified},
            "previews": [preview.to_row() for preview in self.previews],
        }
        self._put(keys.shard_key(self.run_id, SHARD_ID), self.shard.encode())
        self._put(keys.refused_key(self.run_id), encode_outcomes({}, []))
        address = self.output.address_of(keys.shard_key(self.run_id, SHARD_ID))
        self._put(keys.plan_key(self.run_id), json.dumps([{"shard": address}]).encode())
        self._put(keys.intermediate_key(self.run_id, SHARD_ID, "piece"), b"tar")
        for stage, outcomes in ((Stage.RESIZE, self.resized), (Stage.EDGE, self.edges)):
            key = keys.outcome_key(self.run_id, stage, SHARD_ID)
            self._put(key, encode_outcomes(header if stage is Stage.EDGE else {}, outcomes))
        return self

    def report(self) -> RunVerdict:
        return write_report(self.document, {}, 0, "2026-11-23T12:00:00.000Z")

    def read(self, key: str) -> bytes:
        return (self.folder / key).read_bytes()

    def read_json(self, key: str) -> Any:
        return json.loads(self.read(key))

    def _put(self, key: str, body: bytes) -> None:
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)

    def _document(self, started: str) -> dict[str, Any]:
        planned = PlannedRun(
            run_id=self.run_id,
            started=started,
            source=str(self.source),
            output=str(self.output),
            recipe=self.recipe.to_document(),
            items_key=keys.plan_key(self.run_id),
            map_results_prefix=keys.map_results_prefix(self.run_id),
            shards=1,
            objects=len(self.shard.objects),
            refused=0,
            bytes=0,
        )
        return asdict(planned)
