"""Do uploads start runs? The bucket, the function's trigger, and what was given up."""

from __future__ import annotations

from collections.abc import Iterator

from imagemill.deployed.checks.finding import Finding, broken, ok, warning
from imagemill.deployed.stack import DeployedStack

UPLOADS, LOST = "uploads", "dead-letter queue"


def uploads(stack: DeployedStack) -> Iterator[Finding]:
    """Whether an upload reaches the function that starts runs."""
    faults = [*_faults_of_bucket(stack), *_faults_of_trigger(stack)]
    yield from faults
    if not faults:
        prefix = stack.parameters.get("SourcePrefix", "")
        yield ok(UPLOADS, f"below s3://{stack.input_bucket}/{prefix} start runs")


def lost_uploads(stack: DeployedStack) -> Iterator[Finding]:
    """Messages about uploads that were given up after five attempts."""
    url = stack.resource("UploadDeadLetterQueue")
    if url is None:
        yield broken(LOST, "is not there", "Run `make deploy`.")
        return
    name = "ApproximateNumberOfMessages"
    answer = stack.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=[name])
    count = int(answer["Attributes"][name])
    if not count:
        yield ok(LOST, "is empty")
        return
    yield broken(
        LOST,
        f"holds {count:,} messages about uploads that could not be processed",
        "Read why in the log group of GroupObjectsFunction, mend it, and give them back: "
        f"aws sqs start-message-move-task --source-arn {_arn_of(stack, url)}",
    )


def _faults_of_bucket(stack: DeployedStack) -> Iterator[Finding]:
    if stack.parameters.get("ExistingInputBucketName"):
        rule = stack.resource("UploadRule") or ""
        name = rule.rpartition("/")[2]
        if not rule or stack.client("events").describe_rule(Name=name)["State"] != "ENABLED":
            fix = f"aws events enable-rule --name {name}" if rule else "Run `make deploy`."
            yield broken(UPLOADS, "the rule that watches the bucket is not enabled", fix)
        return
    found = stack.client("s3").get_bucket_notification_configuration(Bucket=stack.input_bucket)
    if not found.get("QueueConfigurations"):
        yield broken(
            UPLOADS,
            f"{stack.input_bucket} notifies no queue of uploads",
            "Somebody has replaced its notifications: run `make deploy`, or put them back.",
        )


def _faults_of_trigger(stack: DeployedStack) -> Iterator[Finding]:
    function = stack.resource("GroupObjectsFunction")
    found = stack.client("lambda").list_event_source_mappings(FunctionName=function)
    mappings = found["EventSourceMappings"]
    if not mappings:
        yield broken(UPLOADS, "no queue triggers GroupObjectsFunction", "Run `make deploy`.")
    has_image = bool(stack.parameters.get("WorkerImageUri"))
    for mapping in mappings if has_image else ():  # uploads wait for it
        if mapping["State"] not in ("Enabled", "Enabling", "Creating", "Updating"):
            yield broken(
                UPLOADS,
                f"the trigger of GroupObjectsFunction is {mapping['State']}: "
                f"{mapping.get('StateTransitionReason', 'no reason given')}",
                f"aws lambda update-event-source-mapping --enabled --uuid {mapping['UUID']}",
            )
        elif str(mapping.get("LastProcessingResult", "")).startswith("PROBLEM"):
            yield warning(
                UPLOADS,
                f"the trigger of GroupObjectsFunction says {mapping['LastProcessingResult']}",
                "Read why in its log group.",
            )


def _arn_of(stack: DeployedStack, url: str) -> str:
    attributes = stack.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return str(attributes["Attributes"]["QueueArn"])
