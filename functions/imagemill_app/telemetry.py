"""What a handler leaves beside its answer: traces in AWS X-Ray, and the run's name in its log."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

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


def name_run(logger: Logger, run_id: str) -> None:
    """Put the run's name into every further line of this invocation.

    It is the correlation id, too: the same in the lines of all functions and jobs of a run.
    """
    logger.append_keys(run_id=run_id)
    logger.set_correlation_id(run_id)
