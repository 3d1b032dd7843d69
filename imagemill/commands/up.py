"""`imagemill up`: the stack in the foreground, for any AWS client."""

from __future__ import annotations

import time

from rich.console import Console

from imagemill.display.lines import print_json, print_line
from imagemill.local_stack import LocalStack, local_stack
from imagemill_contract.keys import RUNS

POLL_SECONDS = 0.5
_GUIDE = """\
endpoint         {endpoint}
input bucket     {input_bucket}
output bucket    {output_bucket}
state machine    {state_machine}

In another terminal:

export AWS_ENDPOINT_URL={endpoint} AWS_DEFAULT_REGION={region}
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test

# upload pictures: a run starts by itself
aws s3 cp PHOTOS s3://{input_bucket}/full/ --recursive

# start a run by hand, watch it, see what became of it
imagemill start s3://{input_bucket}/full/
imagemill status --watch
imagemill runs
imagemill failures

# the same by any other client
aws stepfunctions start-execution --state-machine-arn {state_machine} \\
    --input '{{"source": "s3://{input_bucket}/full/"}}'
aws stepfunctions list-executions --state-machine-arn {state_machine}
aws s3 ls s3://{output_bucket}/ --recursive
aws s3 cp s3://{output_bucket}/{runs}RUN_ID/report.json -

Ctrl-C ends the engine, and everything in it is forgotten."""


def serve(*, port: int | None, vcpus: int | None, as_json: bool) -> None:
    """Run until Ctrl-C or SIGTERM. Raises EngineError if the engine dies."""
    with local_stack(port=port, vcpus=vcpus) as stack:
        if as_json:
            print_json(places_of(stack))
        else:
            print_line(Console(), guide_of(stack))
        try:
            while True:
                stack.engine.check()
                time.sleep(POLL_SECONDS)
        except (KeyboardInterrupt, SystemExit):
            print_line(Console(stderr=True), "Stopped: the engine ends, and all that is in it.")
            raise


def places_of(stack: LocalStack) -> dict[str, str]:
    """Where the stack is and what it is made of."""
    return {
        "endpoint": stack.engine.endpoint_url,
        "region": stack.engine.region,
        "input_bucket": stack.input_bucket,
        "output_bucket": stack.output_bucket,
        "state_machine": stack.state_machine_arn,
    }


def guide_of(stack: LocalStack) -> str:
    """What a person types to use the stack."""
    return _GUIDE.format(**places_of(stack), runs=RUNS)
