"""Settings of the handlers. A field has the name of its environment variable, in lower case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self


class SettingsError(ValueError):
    """An environment variable is missing, or its value cannot be used."""


@dataclass(frozen=True, slots=True)
class _Settings:
    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Raises SettingsError, which names the variable."""
        return cls(
            **{item.name: _read(env, item.name.upper(), str(item.type)) for item in fields(cls)}
        )

    @classmethod
    def env_names(cls) -> set[str]:
        return {item.name.upper() for item in fields(cls)}


@dataclass(frozen=True, slots=True)
class GroupObjectsSettings(_Settings):
    input_bucket_name: str
    output_bucket_name: str
    source_prefix: str
    state_machine_arn: str
    upload_window_seconds: int
    window_grace_seconds: int


@dataclass(frozen=True, slots=True)
class PlanRunSettings(_Settings):
    output_bucket_name: str
    max_parallel_jobs: int
    min_shard_seconds: int
    slice_objects: int
    upload_recipe: str
    allow_file_uris: bool
    commit: str
    worker_image_uri: str
    model_image_uri: str = ""  # without it, no run has a model
    max_run_dollars: float = 0.0  # 0 for no limit


@dataclass(frozen=True, slots=True)
class AggregateSliceSettings(_Settings):
    output_bucket_name: str


@dataclass(frozen=True, slots=True)
class AggregateRunSettings(_Settings):
    output_bucket_name: str
    tolerated_failure_percent: float


def _read(env: Mapping[str, str], name: str, kind: str) -> object:
    if name not in env:
        raise SettingsError(f"The environment variable {name} is not set.")
    value = env[name]
    try:
        if kind == "bool":
            return {"true": True, "false": False}[value]
        return {"str": str, "int": int, "float": float}[kind](value)
    except (KeyError, ValueError):
        raise SettingsError(f"{name}={value!r} is not a {kind}.") from None
