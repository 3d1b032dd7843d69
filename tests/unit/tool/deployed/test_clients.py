"""Which settings the clients of a stack have: the user's own, or those of an engine nearby."""

from __future__ import annotations

import pytest

from imagemill.deployed.clients import Clients
from imagemill.errors import UsageError
from imagemill.options.stack import StackChoice

LOCAL = "http://127.0.0.1:4566"


@pytest.fixture(autouse=True)
def own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user with credentials and a region, and no files."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "own-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "own-secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")


def key_id(clients: Clients) -> str:
    found: str = clients.client("s3")._request_signer._credentials.access_key
    return found


def test_aws_is_asked_by_the_settings_of_the_user() -> None:
    clients = Clients(StackChoice())
    assert (key_id(clients), clients.region, clients.is_local) == ("own-id", "eu-west-1", False)
    assert clients.client("s3").meta.endpoint_url == "https://s3.eu-west-1.amazonaws.com"
    assert Clients(StackChoice(region="us-west-2")).region == "us-west-2"
    assert clients.client("s3") is clients.client("s3")


@pytest.mark.parametrize("by_environment", [False, True])
def test_credentials_of_the_user_never_go_to_an_endpoint_on_this_machine(
    by_environment: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if by_environment:
        monkeypatch.setenv("AWS_ENDPOINT_URL", LOCAL)
    clients = Clients(StackChoice(endpoint_url=None if by_environment else LOCAL))
    assert (key_id(clients), clients.region, clients.is_local) == ("test", "us-east-1", True)
    assert clients.client("s3").meta.endpoint_url == LOCAL


def test_another_endpoint_gets_the_credentials_of_the_user() -> None:
    clients = Clients(StackChoice(endpoint_url="https://s3.example.com"))
    assert (key_id(clients), clients.is_local) == ("own-id", False)


def test_profile_that_is_not_there_is_named() -> None:
    with pytest.raises(UsageError, match=r"--profile: The config profile \(nix\) could not be"):
        Clients(StackChoice(profile="nix"))
