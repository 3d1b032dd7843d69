"""Options that say what the engine may use of this machine."""

from __future__ import annotations

from typing import Annotated

import typer

Vcpus = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="vCPUs that jobs may use (default: this machine's)"),
]
Port = Annotated[
    int | None, typer.Option(min=1, max=65_535, metavar="N", help="Port (default: a free one)")
]
