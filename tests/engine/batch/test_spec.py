"""What becomes of a job definition and a request."""

from __future__ import annotations

from imagemill_engine.batch.spec import JobSpec, LogTarget, Placement, substituted

PLACEMENT = Placement("arn:queue", "queue", "environment", 4)


def spec(container: dict[str, object], **request: object) -> JobSpec:
    definition = {
        "jobDefinitionName": "worker",
        "jobDefinitionArn": "arn:worker:1",
        "parameters": {"size": "8", "mode": "fast"},
        "timeout": {"attemptDurationSeconds": 60},
        "containerProperties": container,
    }
    return JobSpec.from_request(definition, PLACEMENT, {"jobName": "one", **request})


def test_a_parameter_replaces_its_reference_within_a_word():
    command = ["--shard=Ref::shard", "Ref::shard", "plain"]
    assert substituted(command, {"shard": "s3://b/k"}) == ("--shard=s3://b/k", "s3://b/k", "plain")


def test_the_longest_name_is_replaced():
    assert substituted(["Ref::input_key"], {"input": "no", "input_key": "yes"}) == ("yes",)


def test_a_reference_without_a_parameter_stays():
    assert substituted(["Ref::a", "Ref::b"], {"a": "1"}) == ("1", "Ref::b")


def test_a_value_that_looks_like_a_reference_is_not_replaced_again():
    assert substituted(["Ref::a"], {"a": "Ref::b", "b": "no"}) == ("Ref::b",)


def test_the_parameters_of_the_request_go_before_those_of_the_definition():
    one = spec({"command": ["a", "Ref::size", "Ref::mode"]}, parameters={"size": "9"})
    assert one.command == ("a", "9", "fast")
    assert one.parameters == {"size": "9", "mode": "fast"}


def test_a_definition_says_how_a_job_runs():
    one = spec(
        {
            "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
            "resourceRequirements": [
                {"type": "VCPU", "value": "0.25"},
                {"type": "MEMORY", "value": "1800"},
            ],
            "jobRoleArn": "arn:role",
        }
    )
    assert one.environment == {"A": "1", "B": "2"}
    assert (one.vcpus, one.memory_mib) == (0.25, 1800)
    assert one.job_role_arn == "arn:role"
    assert one.timeout_seconds == 60


def test_without_a_log_configuration_the_log_is_where_batch_puts_it():
    assert spec({"command": ["a"]}).log == LogTarget("/aws/batch/job", "worker")


def test_a_log_configuration_names_the_group_and_the_prefix():
    options = {"awslogs-group": "mine", "awslogs-stream-prefix": "p"}
    log = spec({"command": ["a"], "logConfiguration": {"options": options}}).log
    assert log == LogTarget("mine", "p")
