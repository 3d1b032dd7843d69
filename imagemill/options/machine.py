"""Options about this machine: what the engine may use of it, and what is printed."""

from __future__ import annotations

from typing import Annotated

import typer

Vcpus = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="vCPUs that jobs may use (default: this machine's)"),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs")]
Port = Annotated[
    int | None, typer.Option(min=1, max=65_535, metavar="N", help="Port (default: a free one)")
]
