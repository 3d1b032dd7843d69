"""The image of the jobs that run neural networks, by its Dockerfile."""

from __future__ import annotations

import re

from tests.helpers.jobs import ROOT

TEXT = (ROOT / "batch_worker" / "model.Dockerfile").read_text()


def test_every_version_is_fixed_and_nothing_is_compiled() -> None:
    assert set(re.findall(r"^FROM (\S+)", TEXT, re.M)) == {"python:3.13-slim"}
    assert "--only-binary :all: -r /tmp/requirements-model.txt -c /tmp/constraints.txt" in TEXT
    for line in (ROOT / "batch_worker" / "requirements-model.txt").read_text().splitlines():
        assert line.startswith(("#", "-r requirements.txt")) or "==" in line


def test_jobs_run_as_nobody_and_write_to_the_scratch_volume_alone() -> None:
    last = TEXT.rpartition("\nFROM ")[2]
    assert "pip" not in last
    for line in ("VOLUME /scratch", "USER 65534:65534", "WORKDIR /scratch"):
        assert line in last.splitlines()
    assert "TMPDIR=/scratch" in last
