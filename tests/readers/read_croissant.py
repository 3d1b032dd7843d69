"""`read_croissant.py FOLDER`: what `mlcroissant` finds wrong in `croissant.json`, and its records.

One line of JSON with errors and warnings, then one for each record of the index.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import mlcroissant

dataset = mlcroissant.Dataset(jsonld=str(Path(sys.argv[1], "croissant.json")))
issues = dataset.metadata.issues
found = {"errors": sorted(issues.errors), "warnings": sorted(issues.warnings)}
sys.stdout.write(json.dumps(found) + "\n")
for name in sys.argv[2:]:
    for record in dataset.records(name):
        row = {
            key.rpartition("/")[2]: value.decode() if isinstance(value, bytes) else value
            for key, value in record.items()
        }
        sys.stdout.write(json.dumps(row, default=str) + "\n")
