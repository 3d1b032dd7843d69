"""What a Lambda invocation uses: requests to S3, and memory times seconds."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

from imagemill_app.stores import request_counts
from imagemill_contract.reporting.lambda_usage import LambdaUsage


@dataclass(frozen=True, slots=True)
class HandlerMeter:
    """Measures from the moment when it is made. `memory_mb` is what the function has."""

    memory_mb: int
    _began: float = field(default_factory=time.monotonic)
    _requests_before: dict[str, int] = field(default_factory=lambda: request_counts().so_far())

    def used(self) -> LambdaUsage:
        requests = Counter(request_counts().so_far())
        requests.subtract(self._requests_before)
        gb_seconds = (time.monotonic() - self._began) * self.memory_mb / 1024
        return LambdaUsage(1, gb_seconds, dict(+requests))
