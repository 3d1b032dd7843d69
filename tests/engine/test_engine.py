"""Starting an engine, and what it opens and gives."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from imagemill_engine import engine, processes
from imagemill_engine.deploy import Stack
from imagemill_engine.engine import Engine, usable_cpu_count
from imagemill_engine.errors import EngineError
from imagemill_engine.settings import VARIABLE

LISTENING = "0A"  # as /proc/net/tcp spells the state


def listening_addresses(process: int) -> set[str]:
    """The addresses on which a process listens, as /proc spells them."""
    links = [str(link.readlink()) for link in Path(f"/proc/{process}/fd").iterdir()]
    own = {link[len("socket:[") : -1] for link in links if link.startswith("socket:")}
    rows = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    ]
    return {row[1] for row in rows if row[3] == LISTENING and row[9] in own}


def test_the_engine_listens_on_one_port_of_this_machine_alone(engine: Engine):
    assert listening_addresses(engine.pid) == {f"0100007F:{engine.port:04X}"}


def test_no_key_is_made_that_nobody_needs(engine: Engine):
    """It would hold up every start; it would lie in the engine's folder."""
    assert not [file for file in engine.folder.rglob("*.pem") if "rsa" in file.name]


def port_that_nobody_is_given() -> int:
    """A free port below those that the kernel hands out to whoever asks for any."""
    for port in range(20_000 + os.getpid() % 10_000, 32_000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise AssertionError("no port is free")


def test_an_engine_takes_a_given_port_and_gives_it_back():
    port = port_that_nobody_is_given()
    for _ in range(2):  # the second time right after the first
        with Engine.start(port=port) as one:
            assert one.endpoint_url == f"http://127.0.0.1:{port}"
            assert one.client("sts").get_caller_identity()["Account"] == one.account_id
        assert not one.folder.exists()


def test_a_taken_port_is_one_clear_sentence():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(EngineError) as refused, Engine.start(port=port):
            pass
    assert str(refused.value) == (
        f"Port {port} of 127.0.0.1 cannot be used: Address already in use."
    )


def test_the_settings_of_the_user_do_not_reach_the_engine(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    del engine
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("AUTH", "false")
    with Engine.start() as one:
        environ = Path(f"/proc/{one.pid}/environ").read_text()
        assert "no-such-profile" not in environ
        assert "AUTH=true" in environ
        assert one.client("s3").list_buckets()["Buckets"] == []


def test_vcpus_are_those_that_this_process_may_use(engine: Engine):
    assert engine.vcpus == 2  # as the fixture asks
    assert usable_cpu_count() == len(os.sched_getaffinity(0))


def test_an_unknown_key_is_refused(engine: Engine):
    client = boto3.client(
        "s3",
        endpoint_url=engine.endpoint_url,
        region_name=engine.region,
        aws_access_key_id="AKIAUNKNOWNUNKNOWN00",
        aws_secret_access_key="x",
    )
    with pytest.raises(ClientError, match="InvalidAccessKeyId"):
        client.list_buckets()


def test_a_role_may_do_no_more_than_its_policies_say(engine: Engine, stack: Stack, as_role: Any):
    bucket = stack.outputs["OutputBucketName"]
    engine.client("s3").put_object(Bucket=bucket, Key="jobs/unread", Body=b"x")
    s3 = as_role(stack.outputs["JobRoleArn"], "s3")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=bucket, Key="elsewhere", Body=b"x")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.get_object(Bucket=bucket, Key="jobs/unread")


def test_an_engine_that_never_becomes_ready_is_given_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(engine, "READY_SECONDS", 0.0)
    with pytest.raises(EngineError, match="not ready after 0 seconds"), Engine.start():
        pass


def test_an_engine_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch):
    real = processes.server_env
    monkeypatch.setattr(
        processes,
        "server_env",
        lambda config, port: real(config, port) | {VARIABLE: "{}"},
    )
    with pytest.raises(EngineError, match=r"EngineSettings\.__init__"), Engine.start():
        pass


def test_the_engine_is_imported_without_the_emulator(checkout_env: dict[str, str]):
    code = (
        "import sys, imagemill_engine.engine, imagemill_engine.deploy;"
        "print([name for name in ('ministack', 'samtranslator') if name in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, capture_output=True, text=True, check=True, env=checkout_env)
    assert found.stdout == "[]\n"
