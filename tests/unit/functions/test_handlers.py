"""The handlers with their real adapters against moto's S3 and Step Functions."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import StringIO
from typing import Any
from urllib.parse import quote_plus

import group_objects
import plan_run
import pytest

from imagemill_app.ingest.inbox import sealed_uploads
from imagemill_app.refusal import RunRefused
from imagemill_app.stores import create_bytes
from imagemill_contract.documents import Shard
from imagemill_contract.locations import Location
from imagemill_contract.requests.windows import Window
from imagemill_dataset.labels import batch_key
from tests.helpers.run_steps import INPUT, OUTPUT


@dataclass(frozen=True)
class Context:
    function_name: str = "function"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:function"
    aws_request_id: str = "request"


def message(identifier: str, *keys: str) -> dict[str, str]:
    records = [
        {
            "eventName": "ObjectCreated:Put",
            "eventTime": "2026-11-23T10:15:30.000Z",
            "s3": {
                "bucket": {"name": INPUT},
                "object": {"key": key, "size": 5, "eTag": "e", "sequencer": "01"},
            },
        }
        for key in keys
    ]
    return {"messageId": identifier, "body": json.dumps({"Records": records})}


def group(*messages: dict[str, str]) -> dict[str, Any]:
    answer: dict[str, Any] = group_objects.lambda_handler({"Records": list(messages)}, Context())
    return answer


def runs_of(aws: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = aws["states"].list_executions(stateMachineArn=aws["machine"])[
        "executions"
    ]
    return found


def test_batches_of_a_window_are_one_run_over_all_their_pictures(aws: dict[str, Any]) -> None:
    answer = group(message("1", "full/a+b.jpg"), message("2", "full/c.jpg"))
    assert answer == {"batchItemFailures": []}
    group(message("3", "full/d.jpg"))
    group(message("9", "full/c.jpg"), message("1", "full/a+b.jpg"))
    (run,) = runs_of(aws)
    described = aws["states"].describe_execution(executionArn=run["executionArn"])
    request = json.loads(described["input"])
    assert run["name"] == f"upload-{request['window']}"
    gathered = sealed_uploads(Location(f"s3://{OUTPUT}"), Window.parse(request["window"]))
    assert gathered is not None
    assert [item.key for item in gathered.objects] == ["full/a b.jpg", "full/c.jpg", "full/d.jpg"]
    assert gathered.spent.messages == 3  # those of a batch that came twice are in one document
    functions = gathered.spent.functions
    assert (functions.invocations, functions.requests) == (2, {"get": 2, "put": 2})
    assert functions.gb_seconds > 0


def test_batch_that_comes_while_its_window_is_planned_goes_to_the_next(
    aws: dict[str, Any],
) -> None:
    group(message("1", "full/a.jpg"))
    (run,) = runs_of(aws)
    window = Window.parse(run["name"].removeprefix("upload-"))
    sealed_uploads(Location(f"s3://{OUTPUT}"), window)
    group(message("2", "full/b.jpg"))
    assert {item["name"] for item in runs_of(aws)} == {window.run_id, window.next().run_id}


def test_one_poison_message_fails_alone(aws: dict[str, Any]) -> None:
    answer = group(message("1", "full/a.jpg"), {"messageId": "2", "body": "poison"})
    assert answer == {"batchItemFailures": [{"itemIdentifier": "2"}]}
    assert len(runs_of(aws)) == 1


def test_nothing_wanted_starts_nothing(aws: dict[str, Any]) -> None:
    test_event = {"messageId": "1", "body": '{"Event": "s3:TestEvent"}'}
    assert group(test_event, message("2", "elsewhere/a.jpg")) == {"batchItemFailures": []}
    assert runs_of(aws) == []


def test_batch_whose_group_cannot_be_written_is_raised(aws: dict[str, Any]) -> None:
    aws["s3"].delete_bucket(Bucket=OUTPUT)
    with pytest.raises(Exception, match="NoSuchBucket"):
        group(message("1", "full/a.jpg"))
    assert runs_of(aws) == []


def plan(request: dict[str, Any], run_id: str = "run-1") -> dict[str, Any]:
    event = {"run_id": run_id, "started": "2026-11-23T10:15:30Z", "request": request}
    planned: dict[str, Any] = plan_run.lambda_handler(event, Context())
    return planned


def test_plan_is_written_with_its_shards(aws: dict[str, Any]) -> None:
    for name in ("full/b.jpg", "full/a.jpg", "full/notes.txt", "full/a", "other/c.jpg"):
        aws["s3"].put_object(Bucket=INPUT, Key=name, Body=b"12345")
    planned = plan({"source": f"s3://{INPUT}/full"})
    assert (planned["objects"], planned["refused"], planned["bytes"]) == (2, 1, 10)
    assert planned["ignored"] == {"not a picture by its name": 1}
    body = aws["s3"].get_object(Bucket=OUTPUT, Key="runs/run-1/plan.json")["Body"].read()
    (item,) = json.loads(body)
    key = item["shard"].removeprefix(f"s3://{OUTPUT}/")
    shard = Shard.decode(aws["s3"].get_object(Bucket=OUTPUT, Key=key)["Body"].read())
    assert [entry.key for entry in shard.objects] == ["full/a", "full/b.jpg"]
    assert {entry.etag for entry in shard.objects} == {"827ccb0eea8a706c4c34a16891f84e7b"}


PACKED = {"output": "webdataset", "label_from_folder": True}


def shards_of(aws: dict[str, Any], run_id: str) -> list[Shard]:
    listed = aws["s3"].list_objects_v2(Bucket=OUTPUT, Prefix=f"runs/{run_id}/shards/")
    return [
        Shard.decode(aws["s3"].get_object(Bucket=OUTPUT, Key=item["Key"])["Body"].read())
        for item in listed["Contents"]
    ]


def test_shards_of_a_packed_run_know_the_numbers_of_their_own_classes(aws: dict[str, Any]) -> None:
    for name in ("owls/a", "owls/a.jpg", "cats/b.jpg", "c.jpg"):
        aws["s3"].put_object(Bucket=INPUT, Key=f"full/{name}", Body=b"12345")
    request = {"source": f"s3://{INPUT}/full/", "recipe": PACKED, "shards": 3}
    planned = plan(request)
    assert (planned["objects"], planned["refused"]) == (3, 1)
    assert [shard.labels for shard in shards_of(aws, "run-1")] == [
        {"cats": 0},
        {"owls": 1},
        {"owls": 1},
    ]
    aws["s3"].put_object(Bucket=INPUT, Key="full/bats/d.jpg", Body=b"12345")
    plan({**request, "shards": 1}, "run-2")
    (shard,) = shards_of(aws, "run-2")
    assert shard.labels == {"bats": 2, "cats": 0, "owls": 1}


def test_dry_run_numbers_no_class(aws: dict[str, Any]) -> None:
    aws["s3"].put_object(Bucket=INPUT, Key="full/cats/a.jpg", Body=b"12345")
    request = {"source": f"s3://{INPUT}/full/", "recipe": PACKED, "dry_run": True}
    assert plan(request)["objects"] == 1
    assert "Contents" not in aws["s3"].list_objects_v2(Bucket=OUTPUT)


def test_bucket_takes_a_batch_of_labels_once_of_all_who_write_it(aws: dict[str, Any]) -> None:
    bucket = Location(f"s3://{OUTPUT}")
    with ThreadPoolExecutor(8) as pool:
        written = pool.map(lambda n: create_bytes(bucket, batch_key(0), b"%d" % n), range(8))
    assert sorted(written) == [False] * 7 + [True]


AWKWARD = ["full//lead.jpg", "full/b//c.jpg", "full/./d.jpg", "full/../e.jpg", "full/f\tg.jpg"]


def test_awkward_keys_are_planned_beside_ordinary_ones(aws: dict[str, Any]) -> None:
    for name in ("full/a.jpg", *AWKWARD):
        aws["s3"].put_object(Bucket=INPUT, Key=name, Body=b"12345")
    planned = plan({"source": f"s3://{INPUT}/full/"})
    assert (planned["objects"], planned["refused"]) == (6, 0)
    (shard,) = shards_of(aws, "run-1")
    assert [item.key for item in shard.objects] == sorted(["full/a.jpg", *AWKWARD])


def test_uploads_with_awkward_keys_are_planned(aws: dict[str, Any]) -> None:
    names = [*AWKWARD, "full/two\nlines.jpg"]
    group(message("1", *map(quote_plus, names)))
    plan({"window": runs_of(aws)[0]["name"].removeprefix("upload-")})
    (shard,) = shards_of(aws, "run-1")
    assert [item.key for item in shard.objects] == sorted(names)


def test_same_request_is_planned_to_the_same_bytes(aws: dict[str, Any]) -> None:
    for index in range(20):
        aws["s3"].put_object(Bucket=INPUT, Key=f"full/{index}.jpg", Body=b"1")

    def documents() -> dict[str, bytes]:
        listed = aws["s3"].list_objects_v2(Bucket=OUTPUT, Prefix="runs/")["Contents"]
        return {
            item["Key"]: aws["s3"].get_object(Bucket=OUTPUT, Key=item["Key"])["Body"].read()
            for item in listed
        }

    plan({"source": f"s3://{INPUT}/full/"})
    first = documents()
    plan({"source": f"s3://{INPUT}/full/"})
    assert documents() == first


@pytest.mark.parametrize(
    ("request_document", "sentence"),
    [
        ({"source": "s3://missing-bucket/"}, "there is no such bucket"),
        ({"source": f"s3://{INPUT}/full/"}, "there are no pictures"),
        ({"source": f"s3://{OUTPUT}/resized/"}, "must not contain each other"),
        ({"source": "file:///etc/"}, "it must be s3://"),
    ],
)
def test_refused_request_writes_nothing(
    request_document: dict[str, Any], sentence: str, aws: dict[str, Any]
) -> None:
    with pytest.raises(RunRefused, match=sentence):
        plan(request_document)
    assert "Contents" not in aws["s3"].list_objects_v2(Bucket=OUTPUT)


def test_execution_name_that_cannot_be_a_folder_is_refused(aws: dict[str, Any]) -> None:
    with pytest.raises(RunRefused, match="Execution name"):
        plan({"source": f"s3://{INPUT}/full/"}, run_id="ü")


def test_run_of_uploads_has_the_recipe_of_the_stack(aws: dict[str, Any]) -> None:
    group(message("1", "full/a.jpg"))
    window = runs_of(aws)[0]["name"].removeprefix("upload-")
    assert plan({"window": window})["recipe"]["size"] == 256


@pytest.mark.parametrize(
    ("recipe", "sentence"),
    [('{"size": 0}', "UploadRecipe.size: 0 is not allowed"), ("size=3", "is not JSON")],
)
def test_recipe_of_the_stack_that_is_none_is_refused(
    recipe: str, sentence: str, aws: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPLOAD_RECIPE", recipe)
    plan_run.settings.cache_clear()
    with pytest.raises(RunRefused, match=sentence):
        plan({"window": "20261123T101500Z-60s"})


def test_a_run_that_no_image_could_carry_out_is_refused_and_a_dry_run_is_not(
    aws: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    aws["s3"].put_object(Bucket=INPUT, Key="full/a.jpg", Body=b"a")
    monkeypatch.setenv("WORKER_IMAGE_URI", "")
    plan_run.settings.cache_clear()
    with pytest.raises(RunRefused, match='Run "make worker-image"'):
        plan({"source": f"s3://{INPUT}/full/"})
    assert plan({"source": f"s3://{INPUT}/full/", "dry_run": True})["objects"] == 1


def test_what_a_message_says_makes_no_line_of_the_log(
    aws: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = '\n{"level": "ERROR", "message": "run aggregated"}\r\x1b[2J'
    log = StringIO()
    monkeypatch.setattr(group_objects.logger.registered_handler, "stream", log)
    answer = group({"messageId": hostile, "body": json.dumps({"Records": [hostile]})})
    assert answer["batchItemFailures"] == [{"itemIdentifier": hostile}]
    group(message("n", quote_plus(f"full/{hostile}.jpg")))
    rows = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [row["message"] for row in rows] == ["message is unreadable", "group put"]
    assert rows[0]["message_id"] == hostile
    assert not {"\r", "\x1b"} & set(log.getvalue())
