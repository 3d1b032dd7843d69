from __future__ import annotations

import pytest

from imagemill_app.settings import (
    AggregateRunSettings,
    GroupObjectsSettings,
    PlanRunSettings,
    SettingsError,
)

PLAN = {
    "OUTPUT_BUCKET_NAME": "out",
    "MAX_PARALLEL_JOBS": "256",
    "MIN_SHARD_SECONDS": "30",
    "SLICE_OBJECTS": "250000",
    "UPLOAD_RECIPE": "{}",
    "COMMIT": "",
    "WORKER_IMAGE_URI": "image",
    "MODEL_IMAGE_URI": "model image",
    "MAX_RUN_DOLLARS": "2.5",
    "ALLOW_FILE_URIS": "false",
}


def test_settings_are_read_by_their_names() -> None:
    assert PlanRunSettings.from_env(PLAN) == PlanRunSettings(
        "out", 256, 30, 250_000, "{}", False, "", "image", "model image", 2.5
    )
    assert GroupObjectsSettings.env_names() == {
        "INPUT_BUCKET_NAME",
        "OUTPUT_BUCKET_NAME",
        "SOURCE_PREFIX",
        "STATE_MACHINE_ARN",
        "UPLOAD_WINDOW_SECONDS",
        "WINDOW_GRACE_SECONDS",
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [("MAX_PARALLEL_JOBS", "many"), ("ALLOW_FILE_URIS", "maybe"), ("ALLOW_FILE_URIS", "True")],
)
def test_unusable_value_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}='{value}'"):
        PlanRunSettings.from_env({**PLAN, name: value})


def test_missing_variable_is_named() -> None:
    with pytest.raises(SettingsError, match="TOLERATED_FAILURE_PERCENT is not set"):
        AggregateRunSettings.from_env({"OUTPUT_BUCKET_NAME": "out"})
