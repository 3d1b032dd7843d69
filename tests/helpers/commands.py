"""Commands against a stack on the engine, and how they end."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from typer.testing import CliRunner

from imagemill import cli
from imagemill.errors import ToolError
from imagemill.local_stack import LocalStack


@dataclass(frozen=True)
class CommandEnd:
    """What a command printed on both streams, and the code with which the program exits."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


Call = Callable[..., CommandEnd]


def called(*words: object) -> CommandEnd:
    """Run a command in this process, as one types it."""
    ended = CliRunner().invoke(cli.app, [str(word) for word in words])
    error = ended.exception
    if isinstance(error, ToolError):
        return CommandEnd(error.exit_code, ended.stdout, f"{ended.stderr}{error}")
    if error is not None and not isinstance(error, SystemExit):
        raise error
    return CommandEnd(ended.exit_code, ended.stdout, ended.stderr)


@dataclass(frozen=True)
class Source:
    """A place of its own in the input bucket; `name` is also the first part of its results."""

    stack: LocalStack
    name: str

    @classmethod
    def new(cls, stack: LocalStack) -> Source:
        return cls(stack, f"commands-{uuid4().hex[:8]}")

    @property
    def address(self) -> str:
        return f"s3://{self.stack.input_bucket}/{self.name}/"

    def put(self, name: str, body: bytes) -> None:
        """Upload a picture."""
        key = f"{self.name}/{self.name}/{name}"
        self.stack.client("s3").put_object(Bucket=self.stack.input_bucket, Key=key, Body=body)
