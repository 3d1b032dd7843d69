"""Paths of the parts of the checkout that the tool deploys and starts."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = ROOT / "template.yaml"

# The packages of the worker image, for the import path of local jobs.
WORKER_FOLDERS = (ROOT / "contract", ROOT / "batch_worker")
