"""What a run leaves of its planning in a folder; in a bucket it expires."""

from __future__ import annotations

from imagemill_app.stores import list_keys, remove_folder
from imagemill_contract.keys import draft_folder
from imagemill_contract.locations import Location


def remove_draft(output: Location, run_id: str) -> None:
    """Remove the draft of a run that was planned in slices, if the output is a folder."""
    if output.is_file:
        folder = draft_folder(run_id)
        remove_folder(output, folder, list_keys(output, folder))
