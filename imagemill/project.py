"""Where the parts of the checkout are that the tool deploys and starts."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = ROOT / "template.yaml"

# What the worker image holds, and a local job therefore finds on its import path.
WORKER_FOLDERS = (ROOT / "contract", ROOT / "batch_worker")
