"""What a dataset tells of where its pictures are from."""

from __future__ import annotations

from functools import lru_cache

from imagemill_contract.locations import Location


@lru_cache(maxsize=64)  # a table has it in each row
def published_source(address: str) -> str:
    """An address in S3 as it is; of a folder only its own name, such as `PHOTOS/`.

    A dataset is given away, and the path of a folder tells of the machine and of its owner.
    """
    if not address.startswith("file://"):
        return address
    return f"{Location.parse(address, 'source').name}/"
