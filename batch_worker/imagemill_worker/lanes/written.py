"""The outcome of an object whose products are put away, in all sizes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from imagemill_contract.document_parts.pictures import Rendition
from imagemill_contract.outcomes import Outcome, Status
from imagemill_worker.lanes.lane_io import Put
from imagemill_worker.lanes.messages import SpooledProduct
from imagemill_worker.lanes.tasks import Task
from imagemill_worker.stages.picture_stage import Product


def written_outcome(task: Task, products: Sequence[Product], puts: Sequence[Put]) -> Outcome:
    """The outcome; products and where they were put are in the order of the task's sizes."""
    largest, *smaller = map(_rendition, task.sizes, products, puts)
    return Outcome(
        task.key,
        Status.WRITTEN,
        **largest._asdict(),
        fingerprint=products[0].fingerprint,
        original=products[0].original,
        smaller=tuple(smaller),
    )


def spooled_product(products: Sequence[Product], puts: Sequence[Put]) -> SpooledProduct | None:
    """Where products are in the lane's spool; None if they are not packed."""
    pairs = zip(products, puts, strict=True)
    places = [(put.offset, len(made.body)) for made, put in pairs if put.offset is not None]
    if not places:
        return None
    (offset, length), *smaller = places
    return SpooledProduct(offset, length, products[0].pixels, tuple(smaller))


def _rendition(task: Task, product: Product, put: Put) -> Rendition:
    return Rendition(
        output_key=task.output_key or None,
        output_bytes=len(product.body),
        width=product.width,
        height=product.height,
        sha256=hashlib.sha256(product.body).hexdigest(),
        etag=put.etag,
        area=product.area,
    )
