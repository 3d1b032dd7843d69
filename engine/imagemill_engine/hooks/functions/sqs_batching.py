"""Batches of an SQS event source mapping as large, and as late, as Lambda makes them.

The emulator hands over at most 10 messages, as soon as one is there. Lambda waits for BatchSize
messages, MaximumBatchingWindowInSeconds or 6 MB, whichever comes first.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from ministack.services import lambda_svc, sqs

from imagemill_engine.hooks import patching
from imagemill_engine.shapes import Document

# https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html
MAX_PAYLOAD_BYTES = 6 * 1024 * 1024
# What a record of the event has besides the message's body; measured on an S3 notification.
RECORD_BYTES = 900


def install() -> None:
    """Receive messages for Lambda in our way."""
    for name in ("_get_q", "_expire_retained", "_dlq_sweep", "_queues_lock"):
        patching.require(sqs, name)
    patching.require_function(sqs, "_collect_msgs", ["q", "max_n", "vis_timeout"])
    patching.require(lambda_svc, "_esms")
    patching.replace(sqs, "_receive_messages_for_esm", ["queue_url", "max_number"], receive_batch)


def receive_batch(queue_url: str, batch_size: int) -> list[Document]:
    """The messages of one invocation; none while the batch is to be waited for."""
    with sqs._queues_lock:
        queue = sqs._get_q(queue_url)
        sqs._expire_retained(queue)
        sqs._dlq_sweep(queue)
        now = time.time()
        visible = [one for one in queue["messages"] if (one.get("visible_at") or 0) <= now]
        count = messages_that_fit(visible, batch_size)
        is_full = count == batch_size or count < len(visible)
        window = window_seconds(queue["attributes"]["QueueArn"])
        if not visible or not (is_full or waited_seconds(visible, now) >= window):
            return []
        visibility_seconds = int(queue["attributes"].get("VisibilityTimeout", "30"))
        collected: list[Document] = sqs._collect_msgs(queue, count, visibility_seconds)
        return collected


def messages_that_fit(messages: Sequence[Document], batch_size: int) -> int:
    """How many of the first messages make one invocation: at least one, where there are any."""
    total_bytes = 0
    for count, message in enumerate(messages[:batch_size]):
        total_bytes += len(message["body"].encode()) + RECORD_BYTES
        if count and total_bytes > MAX_PAYLOAD_BYTES:
            return count
    return min(len(messages), batch_size)


def waited_seconds(messages: Sequence[Document], now: float) -> float:
    """For how long the first of some messages has been visible."""
    became_visible = (max(one["sent_at"], one.get("visible_at") or 0) for one in messages)
    return now - float(min(became_visible))


def window_seconds(queue_arn: str) -> float:
    """The longest batching window of the mappings of a queue."""
    windows = [
        float(mapping.get("MaximumBatchingWindowInSeconds") or 0)
        for mapping in lambda_svc._esms.values()
        if mapping.get("EventSourceArn") == queue_arn
    ]
    return max(windows, default=0.0)
