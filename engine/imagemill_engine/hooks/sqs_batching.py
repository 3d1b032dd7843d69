"""Batches of an SQS event source mapping as large, and as late, as Lambda makes them.

The emulator hands over at most 10 messages, as soon as one is there. Lambda waits for BatchSize
messages, MaximumBatchingWindowInSeconds or 6 MB, whichever comes first.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any

from ministack.services import lambda_svc, sqs

from imagemill_engine.hooks import seam

Message = dict[str, Any]

# https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html
MAX_PAYLOAD_BYTES = 6 * 1024 * 1024
# What a record of the event has besides the message's body; measured on an S3 notification.
RECORD_BYTES = 900


def install() -> None:
    for name in ("_get_q", "_expire_retained", "_dlq_sweep"):
        seam.require(sqs, name)
    seam.require_function(sqs, "_collect_msgs", ["q", "max_n", "vis_timeout"])
    seam.require(sqs, "_queues_lock")
    seam.require(lambda_svc, "_esms")
    seam.wrap(sqs, "_receive_messages_for_esm", ["queue_url", "max_number"], receive_batch)


def receive_batch(original: Callable[..., Any], queue_url: str, batch_size: int) -> list[Message]:
    with sqs._queues_lock:
        queue = sqs._get_q(queue_url)
        if queue["is_fifo"]:
            first_in_first_out: list[Message] = original(queue_url, batch_size)
            return first_in_first_out
        sqs._expire_retained(queue)
        sqs._dlq_sweep(queue)
        now = time.time()
        visible = [one for one in queue["messages"] if (one.get("visible_at") or 0) <= now]
        count = messages_that_fit(visible, int(batch_size or 1))
        window = window_seconds(queue["attributes"].get("QueueArn", ""))
        is_full = count == batch_size or count < len(visible)
        if not count or not (is_full or has_waited(visible, window, now)):
            return []
        visibility = int(queue["attributes"].get("VisibilityTimeout", "30"))
        collected: list[Message] = sqs._collect_msgs(queue, count, visibility)
        return collected


def messages_that_fit(messages: Iterable[Message], batch_size: int) -> int:
    """How many of the first messages make one invocation."""
    count = total_bytes = 0
    for message in messages:
        total_bytes += len(message["body"].encode()) + RECORD_BYTES
        if count and total_bytes > MAX_PAYLOAD_BYTES:
            break
        count += 1
        if count == batch_size:
            break
    return count


def has_waited(messages: Iterable[Message], window: float, now: float) -> bool:
    became_visible = (
        max(float(one["sent_at"]), float(one.get("visible_at") or 0)) for one in messages
    )
    return now - min(became_visible) >= window


def window_seconds(queue_arn: str) -> float:
    windows = [
        float(mapping.get("MaximumBatchingWindowInSeconds") or 0)
        for mapping in lambda_svc._esms.values()
        if mapping.get("EventSourceArn") == queue_arn
    ]
    return max(windows, default=0.0)
