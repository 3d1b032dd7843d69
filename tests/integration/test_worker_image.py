"""A stack without an image of its jobs holds everything, until `make worker-image` gives it one."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import push_image
import pytest

from imagemill.errors import UsageError
from imagemill.local_stack import LocalStack, deployed_on
from imagemill_engine.engine import Engine
from tests.helpers.photographs import cut
from tests.helpers.runs import ended, executions, keys_in, resource_id, start
from tests.helpers.waiting import until

pytestmark = pytest.mark.engine

DIGEST = f"sha256:{'5' * 64}"
DOCKER = f"""#!{sys.executable}
import json, pathlib, sys
with pathlib.Path(__file__).with_name("calls").open("a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
if "--metadata-file" in sys.argv:
    metadata = pathlib.Path(sys.argv[sys.argv.index("--metadata-file") + 1])
    metadata.write_text(json.dumps({{"containerimage.digest": "{DIGEST}"}}))
"""


@pytest.fixture(scope="module")
def bare(engine: Engine) -> LocalStack:
    return deployed_on(engine, {"WorkerImageUri": ""}, "bare")


@pytest.fixture
def docker(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A docker that notes how it was called and has built an image of a known digest."""
    program = tmp_path / "docker"
    program.write_text(DOCKER)
    program.chmod(0o755)
    for name, value in {
        "PATH": str(tmp_path),
        "AWS_ENDPOINT_URL": engine.endpoint_url,
        "AWS_DEFAULT_REGION": engine.region,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        monkeypatch.setenv(name, value)
    return tmp_path / "calls"


def test_uploads_wait_and_runs_are_refused_until_there_is_an_image(
    bare: LocalStack, docker: Path
) -> None:
    s3 = bare.client("s3")
    s3.put_object(Bucket=bare.input_bucket, Key="full/early.jpg", Body=cut(0))
    request = {"source": f"s3://{bare.input_bucket}/full/"}

    with pytest.raises(UsageError, match="no worker image yet"):
        ended(start(bare, request)).result()
    assert ended(start(bare, {**request, "dry_run": True})).result()["objects"] == 1
    assert waiting_messages(bare) >= 1
    assert not any(name.startswith("upload-") for name in executions(bare))

    image = push_image.push_image(bare.name)

    assert image.endswith(f"@{DIGEST}")
    until(
        lambda: keys_in(bare, bare.output_bucket, "edges/") == {"edges/early.jpg.png"},
        "the upload that waited is processed",
        pause_seconds=0.2,
    )
    assert ended(start(bare, request)).result()["verdict"] == "succeeded"
    login, build = [json.loads(line) for line in docker.read_text().splitlines()]
    assert login[:2] == ["login", "--username"]
    assert login[-1] == image.partition("/")[0]
    assert build[build.index("--platform") + 1] == "linux/arm64"
    assert "--provenance=false" in build
    assert push_image.push_image(bare.name) == image  # and the stack is left as it is


def waiting_messages(stack: LocalStack) -> int:
    url = resource_id(stack, "UploadQueue")
    answer = stack.client("sqs").get_queue_attributes(
        QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
    )
    return int(answer["Attributes"]["ApproximateNumberOfMessages"])
