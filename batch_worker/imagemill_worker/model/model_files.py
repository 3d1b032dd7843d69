"""Where a model job reads pictures and leaves results: objects, or the intermediate shard.

If they are packed, its results are one more piece of that shard, and the edge job packs them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from imagemill_contract.documents import Shard
from imagemill_contract.outcomes import Outcome
from imagemill_worker.dataset.intermediate import fetch_intermediate, write_piece
from imagemill_worker.lanes.lane_io import (
    FileSource,
    Sink,
    Source,
    SpoolSink,
    StoreSink,
    StoreSource,
)
from imagemill_worker.spool import Spooled, SpoolWriter, temporary_file
from imagemill_worker.stores.store import Store

_PIECE = "model"


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """Where pictures come from and results go to.

    Attributes:
        offsets: Where each picture begins in a local file, by place in the work shard; none if they
            are objects.
        spool: Descriptor of the file that takes results which are packed; or None.
    """

    store: Store
    shard: Shard
    source: Source
    sink: Sink
    offsets: Sequence[int] = ()
    spool: int | None = None

    def put_away(self, outcomes: Sequence[Outcome], placed: Mapping[int, int]) -> list[Outcome]:
        """Write the piece with the results, and return the outcomes with its key and positions.

        `placed` says where each result begins in the spool, by place in the work shard. A piece has
        the same bytes at every attempt. Raises TryAgainError or StoreRefusedError.
        """
        found = list(outcomes)
        if self.spool is None or not placed:
            return found
        places = sorted(placed)
        files = [Spooled(self.spool, placed[it], found[it].output_bytes) for it in places]
        key = write_piece(self.store, self.shard, _PIECE, files)
        for position, place in enumerate(places):
            found[place] = found[place]._replace(output_key=key, position=position)
        return found


@contextmanager
def model_files(store: Store, shard: Shard, resize: Sequence[Outcome]) -> Iterator[ModelFiles]:
    """Open them; fetches the intermediate shard. Raises as `fetch_intermediate` does."""
    if not shard.recipe.is_packed:
        yield ModelFiles(store, shard, StoreSource(store), StoreSink(store))
        return
    with temporary_file() as pictures, temporary_file() as results:
        places = fetch_intermediate(store, resize, pictures)
        offsets = [of_sizes[0] if of_sizes else 0 for of_sizes in places]
        source, spool = FileSource(pictures.fileno()), SpoolWriter(results.fileno())
        yield ModelFiles(store, shard, source, SpoolSink(spool), offsets, results.fileno())
