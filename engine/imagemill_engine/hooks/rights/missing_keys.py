"""S3 says that a key is missing only to those who may list it; others are denied access.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html, under "Permissions". A condition
on `s3:prefix` is asked for the key itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from ministack.core import iam_evaluator, router
from ministack.services import s3

from imagemill_engine import settings
from imagemill_engine.hooks import patching
from imagemill_engine.shapes import Document, Function

NOT_FOUND = 404
LIST = "s3:ListBucket"
_READ = ["bucket_name", "key", "headers", "query_params"]


def install() -> None:
    """Ask before a key is said to be missing."""
    patching.require_function(
        iam_evaluator,
        "enforce",
        ["access_key_id", "iam_action", "service", "region", "resource_arn", "service_context"],
    )
    patching.require(router, "extract_access_key_id")
    patching.require(s3, "_object_error")
    for name in ("_get_object", "_head_object"):
        patching.wrap(s3, name, _READ, read_object)


def read_object(
    original: Function,
    bucket: str,
    key: str,
    headers: Mapping[str, str] | None = None,
    query: Document | None = None,
) -> object:
    """The answer of the emulator, but for a missing key that its asker may not list."""
    answer: tuple[int, object, object] = original(bucket, key, headers or {}, query or {})
    if answer[0] != NOT_FOUND or may_list(bucket, key, headers or {}, query or {}):
        return answer
    return s3._object_error("AccessDenied", "Access Denied", 403)


def may_list(bucket: str, key: str, headers: Mapping[str, str], query: Document) -> bool:
    """Whether whoever asks may list this key of the bucket."""
    asker, bucket_arn = router.extract_access_key_id(headers, query), f"arn:aws:s3:::{bucket}"
    denied = iam_evaluator.enforce(
        asker, LIST, "s3", settings.REGION, bucket_arn, {"s3:prefix": key}
    )
    return denied is None
