"""Names for what has no type of its own: JSON documents, boto3's clients, the emulator's functions.

`Any` stands here and in no signature: these values are checked by whoever made them (boto3 by its
service models, CloudFormation and Step Functions by their schemas), not by types.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Document = dict[str, Any]  # a JSON object
Client = Any  # boto3 makes the classes of its clients while it runs
Function = Callable[..., Any]  # a function of the emulator, which is untyped
Response = tuple[int, dict[str, str], bytes]  # status, headers, body: the emulator's answer
