"""Starting the state machine so that a redelivery finds the first delivery's run."""

from __future__ import annotations

import json
from typing import Any

from imagemill_contract.keys import upload_run_id


def start_upload_run(step_functions: Any, state_machine_arn: str, group_key: str) -> str:
    """Start the run of a group document and return its id.

    Idempotent: the name follows from the document's content, so that a start that was made
    before, whether it still runs or is closed, is success.
    """
    run_id = upload_run_id(group_key)
    try:
        step_functions.start_execution(
            stateMachineArn=state_machine_arn, name=run_id, input=json.dumps({"upload": group_key})
        )
    except step_functions.exceptions.ExecutionAlreadyExists:
        return run_id
    return run_id
