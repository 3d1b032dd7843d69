"""The template against the code that it deploys, and against what must never be lost from it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from imagemill_app import settings
from imagemill_contract import keys
from imagemill_contract.keys import Stage
from tests.helpers.stack_template import ROOT, resources_of, template

FUNCTIONS = resources_of("AWS::Serverless::Function")
SETTINGS: dict[str, type[Any]] = {
    "GroupObjectsFunction": settings.GroupObjectsSettings,
    "PlanRunFunction": settings.PlanRunSettings,
    "PlanSliceFunction": settings.PlanRunSettings,
    "CommitPlanFunction": settings.PlanRunSettings,
    "AggregateSliceFunction": settings.AggregateSliceSettings,
    "AggregateRunFunction": settings.AggregateRunSettings,
}


def environment_of(function: dict[str, Any]) -> set[str]:
    shared = template()["Globals"]["Function"]["Environment"]["Variables"]
    return set(shared) | set(function.get("Environment", {}).get("Variables", {}))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_environment_is_what_the_settings_read(name: str) -> None:
    ours = {item for item in environment_of(FUNCTIONS[name]) if not item.startswith("POWERTOOLS_")}
    assert ours == SETTINGS[name].env_names()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_handler_exists_under_its_name(name: str) -> None:
    module, _, entry = FUNCTIONS[name]["Handler"].partition(".")
    source = (ROOT / "functions" / f"{module}.py").read_text()
    assert f"def {entry}(" in source
    assert name == "".join(part.title() for part in module.split("_")) + "Function"


def test_queue_hides_messages_six_times_as_long_as_the_function_works() -> None:
    queue = resources_of("AWS::SQS::Queue")["UploadQueue"]
    timeout = template()["Globals"]["Function"]["Timeout"]
    longest_window = template()["Parameters"]["BatchingWindowSeconds"]["MaxValue"]
    assert queue["VisibilityTimeout"] >= 6 * timeout + longest_window
    assert queue["RedrivePolicy"]["maxReceiveCount"] >= 5


def test_messages_fail_one_by_one() -> None:
    event = FUNCTIONS["GroupObjectsFunction"]["Events"]["Uploads"]["Properties"]
    assert event["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert event["BatchSize"] == 10_000


@pytest.mark.parametrize("name", resources_of("AWS::S3::Bucket"))
def test_bucket_is_private_encrypted_and_reached_by_tls_only(name: str) -> None:
    bucket = resources_of("AWS::S3::Bucket")[name]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    rules = bucket["LifecycleConfiguration"]["Rules"]
    assert any("AbortIncompleteMultipartUpload" in rule for rule in rules)
    policies = resources_of("AWS::S3::BucketPolicy").values()
    (policy,) = [item for item in policies if item["Bucket"] == {"Ref": name}]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def allowed(role: str, action: str, folder: str) -> bool:
    """Whether a role may do that with every object below a folder of the output bucket."""
    resource = {"Fn::Sub": f"${{OutputBucket.Arn}}/{folder}*"}
    statements = [
        statement
        for policy in resources_of("AWS::IAM::Role")[role]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    return any(
        action in as_list(statement["Action"]) and resource in as_list(statement["Resource"])
        for statement in statements
    )


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("folder", [keys.DATASET, keys.INTERMEDIATE])
@pytest.mark.parametrize("action", ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"])
def test_jobs_may_pack(action: str, folder: str) -> None:
    assert allowed("WorkerRole", action, folder)


@pytest.mark.parametrize("action", ["s3:GetObject", "s3:PutObject"])
def test_jobs_may_keep_a_journal(action: str) -> None:
    assert allowed("WorkerRole", action, keys.JOURNAL)


@pytest.mark.parametrize("folder", [keys.OPEN_RUNS, keys.RUNS, keys.JOURNAL])
@pytest.mark.parametrize("role", ["PlanRunRole", "AggregateRunRole"])
def test_what_runs_have_done_so_far_may_be_read(role: str, folder: str) -> None:
    assert allowed(role, "s3:GetObject", folder)


@pytest.mark.parametrize("role", ["PlanRunRole", "AggregateRunRole"])
def test_open_runs_may_be_closed_and_nothing_of_a_journal_is_removed(role: str) -> None:
    assert allowed(role, "s3:DeleteObject", keys.OPEN_RUNS)
    assert not allowed(role, "s3:DeleteObject", keys.JOURNAL)
    assert not allowed(role, "s3:DeleteObject", keys.RUNS)


@pytest.mark.parametrize("role", ["PlanRunRole", "PlanSliceRole"])
def test_planners_read_the_index_with_its_leaves(role: str) -> None:
    assert allowed(role, "s3:GetObject", keys.INDEX)
    assert allowed(role, "s3:GetObject", keys.LEAVES)


def test_slices_are_planned_and_aggregated_without_a_word_to_the_index() -> None:
    assert allowed("PlanSliceRole", "s3:PutObject", keys.DRAFTS)
    assert allowed("AggregateSliceRole", "s3:PutObject", keys.LEAVES)
    for role in ("PlanSliceRole", "CommitPlanRole", "AggregateSliceRole"):
        assert not allowed(role, "s3:PutObject", keys.INDEX)
        assert not allowed(role, "s3:DeleteObject", keys.LEAVES)


def test_planner_leaves_to_jobs_what_is_half_done() -> None:
    assert allowed("PlanRunRole", "s3:PutObject", keys.JOURNAL)
    assert not allowed("AggregateRunRole", "s3:PutObject", keys.JOURNAL)


def test_planner_adds_to_the_index_and_removes_nothing_of_it() -> None:
    assert allowed("PlanRunRole", "s3:PutObject", keys.INDEX)
    assert not allowed("PlanRunRole", "s3:DeleteObject", keys.INDEX)


def test_aggregation_reads_whether_the_dataset_is_rewritten_and_writes_no_lock() -> None:
    assert allowed("AggregateRunRole", "s3:GetObject", keys.UPKEEP)
    assert not allowed("AggregateRunRole", "s3:PutObject", keys.UPKEEP)
    assert not allowed("AggregateRunRole", "s3:DeleteObject", keys.UPKEEP)


@pytest.mark.parametrize(
    "folder", [keys.OPEN_RUNS, keys.RUNS, keys.JOURNAL, keys.INDEX, keys.UPKEEP]
)
def test_aggregation_finds_that_there_is_nothing(folder: str) -> None:
    (policy,) = resources_of("AWS::IAM::Role")["AggregateRunRole"]["Policies"]
    statements = policy["PolicyDocument"]["Statement"]
    (listing,) = [item for item in statements if item["Action"] == "s3:ListBucket"]
    assert f"{folder}*" in listing["Condition"]["StringLike"]["s3:prefix"]


@pytest.mark.parametrize("stage", [stage for stage in Stage if not stage.entry.on_request])
def test_a_job_gives_up_on_a_store_long_before_its_own_timeout(stage: Stage) -> None:
    job = resources_of("AWS::Batch::JobDefinition")[f"{stage.title()}JobDefinition"]
    environment = job["ContainerProperties"]["Environment"]
    patience_seconds = {item["Name"]: item["Value"] for item in environment}[
        "STORE_PATIENCE_SECONDS"
    ]
    assert 120 < float(patience_seconds) <= job["Timeout"]["AttemptDurationSeconds"] / 6


def test_planner_writes_of_a_dataset_its_labels_only() -> None:
    assert allowed("PlanRunRole", "s3:GetObject", keys.LABELS)
    assert allowed("PlanRunRole", "s3:PutObject", keys.LABELS)
    assert not allowed("PlanRunRole", "s3:PutObject", keys.DATASET)


def test_aggregation_publishes_and_removes_only_what_lay_between_stages() -> None:
    assert allowed("AggregateRunRole", "s3:PutObject", keys.DATASET)
    assert allowed("AggregateRunRole", "s3:DeleteObject", keys.INTERMEDIATE)
    assert not allowed("AggregateRunRole", "s3:DeleteObject", keys.DATASET)


def test_what_nobody_aggregated_expires() -> None:
    rules = resources_of("AWS::S3::Bucket")["OutputBucket"]["LifecycleConfiguration"]["Rules"]
    expired = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "Prefix" in rule}
    assert expired == {keys.INBOX: 30, keys.INTERMEDIATE: 7, keys.JOURNAL: 7, keys.DRAFTS: 7}


def test_uploads_wait_for_an_image() -> None:
    event = FUNCTIONS["GroupObjectsFunction"]["Events"]["Uploads"]["Properties"]
    assert event["Enabled"] == {"Fn::If": ["HasWorkerImage", True, False]}
    assert template()["Parameters"]["WorkerImageUri"]["Default"] == ""


@pytest.mark.parametrize(
    ("uri", "is_allowed"),
    [
        ("", True),
        (f"1.dkr.ecr.eu-west-1.amazonaws.com/a/b@sha256:{'0' * 64}", True),
        ("1.dkr.ecr.eu-west-1.amazonaws.com/a:latest", False),
        (f"a@sha256:{'0' * 63}", False),
    ],
)
def test_an_image_is_named_by_its_digest(uri: str, is_allowed: bool) -> None:
    pattern = template()["Parameters"]["WorkerImageUri"]["AllowedPattern"]
    assert bool(re.search(pattern, uri)) is is_allowed


def test_files_of_the_machine_are_closed_by_default() -> None:
    assert template()["Parameters"]["AllowFileUris"]["Default"] == "false"


def test_everything_that_a_person_sets_or_reads_is_described() -> None:
    for section in ("Parameters", "Outputs"):
        for name, item in template()[section].items():
            assert item.get("Description"), name


def test_only_actions_without_resources_are_allowed_on_all() -> None:
    without_resource = {"ecr:GetAuthorizationToken", "batch:DescribeJobs"}
    for name, role in resources_of("AWS::IAM::Role").items():
        for policy in role.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                if statement["Resource"] == "*":
                    actions = statement["Action"]
                    actions = [actions] if isinstance(actions, str) else actions
                    free = [item for item in actions if not item.startswith(("xray:", "logs:"))]
                    assert set(free) <= without_resource, name


def test_roles_that_use_buckets_or_the_queue_may_use_their_key_and_no_others() -> None:
    users = {
        name
        for name, role in resources_of("AWS::IAM::Role").items()
        for policy in role.get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
        if any(action.startswith(("s3:", "sqs:")) for action in as_list(statement["Action"]))
    }
    policy = resources_of("AWS::IAM::Policy")["KeyPolicy"]
    assert {role["Ref"] for role in policy["Roles"]} == users
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Resource"] == {"Ref": "KmsKeyArn"}
    assert set(statement["Condition"]) == {"StringEquals"}


def test_what_checkov_is_excused_from_has_its_reason() -> None:
    for name, resource in template()["Resources"].items():
        for excuse in resource.get("Metadata", {}).get("checkov", {}).get("skip", []):
            assert len(excuse["comment"].split()) > 4, name


def test_whoever_may_be_encrypted_with_the_key_is() -> None:
    key = {"Fn::If": ["HasKey", {"Ref": "KmsKeyArn"}, {"Ref": "AWS::NoValue"}]}
    names = {
        "AWS::SQS::Queue": "KmsMasterKeyId",
        "AWS::SNS::Topic": "KmsMasterKeyId",
        "AWS::Logs::LogGroup": "KmsKeyId",
    }
    for kind, name in names.items():
        assert {str(item[name]) for item in resources_of(kind).values()} == {str(key)}, kind


def test_only_rules_and_alarms_of_the_stack_publish_to_its_topic() -> None:
    (policy,) = resources_of("AWS::SNS::TopicPolicy").values()
    allowed = [one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Allow"]
    assert all(one["Condition"] and one["Action"] == "sns:Publish" for one in allowed)
    alarms = resources_of("AWS::CloudWatch::Alarm")
    assert len(alarms) >= 3
    assert len({str(item["AlarmActions"]) for item in alarms.values()}) == 1
