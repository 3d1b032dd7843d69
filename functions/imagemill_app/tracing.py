"""Tracing with AWS X-Ray."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

Handler = Callable[..., Any]


def traced(service: str) -> Callable[[Handler], Handler]:
    """A decorator that traces a handler; where tracing is switched off, it leaves it as it is.

    Powertools' own tracer would load the X-Ray SDK all the same: half of what a handler imports.
    """
    if os.environ.get("POWERTOOLS_TRACE_DISABLED", "false").lower() == "true":
        return lambda handler: handler
    from aws_lambda_powertools import Tracer

    decorator: Callable[[Handler], Handler] = Tracer(service=service).capture_lambda_handler
    return decorator
