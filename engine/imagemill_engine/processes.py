"""The processes of an engine, each in a session of its own: the server and its watchdog."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

from imagemill_engine import settings, watchdog
from imagemill_engine.errors import EngineError

HOST = "127.0.0.1"
STOP_SECONDS = 5.0
# All that the engine takes over from the caller.
_INHERITED = (
    *("HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SSL_CERT_FILE", "LD_LIBRARY_PATH"),
    *("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "XDG_CACHE_HOME"),
)


def listening_socket(port: int | None) -> socket.socket:
    """A socket on a port of this machine, or on a free one.

    Bound here and handed down to the engine, so that nobody can take the port in between.
    Raises EngineError when the port is taken.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port or 0))
        listener.listen(512)
    except OSError as error:
        listener.close()
        raise EngineError(f"Port {port} of {HOST} cannot be used: {error.strerror}.") from error
    return listener


@contextlib.contextmanager
def watched(folder: Path, token: str) -> Iterator[FileIO]:
    """Run the watchdog; yields the write end of the pipe that the engine has to hold."""
    owner_read, owner_write = os.pipe()
    engine_read, engine_write = os.pipe()
    owner_end, engine_end = FileIO(owner_write, "wb"), FileIO(engine_write, "wb")
    arguments = ["--owner", str(owner_read), "--engine", str(engine_read)]
    arguments += ["--token", token, "--folder", str(folder)]
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", watchdog.__file__, *arguments],
        pass_fds=(owner_read, engine_read),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )
    os.close(owner_read)
    os.close(engine_read)
    try:
        yield engine_end
    finally:
        engine_end.close()
        owner_end.close()
        process.wait()


@contextlib.contextmanager
def server_process(config: settings.EngineSettings, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run the engine's server; its log is engine.log in the engine's folder."""
    folder = Path(config.folder)
    (folder / "tmp").mkdir()
    config.jobs_folder.mkdir()
    with (folder / "engine.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "imagemill_engine.server"],
            env=server_env(config, port),
            pass_fds=(config.listener, config.watchdog),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        # End of file on its standard input tells the engine to end; see server.py.
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def server_env(config: settings.EngineSettings, port: int) -> dict[str, str]:
    """The whole environment of the server: no AWS settings and no credentials of the caller."""
    folder = Path(config.folder)
    package_root = Path(__file__).parents[1]
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return inherited | {
        "PATH": programs,
        "PYTHONPATH": str(package_root),
        "TMPDIR": str(folder / "tmp"),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": HOST,
        "MINISTACK_HOST": HOST,
        "MINISTACK_REGION": settings.REGION,
        "MINISTACK_ACCOUNT_ID": settings.ACCOUNT_ID,
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "AUTH": "true",
        "POWERTOOLS_TRACE_DISABLED": "true",  # nobody here takes the traces of handlers
        # Bodies of objects on disk: 2 GiB of them cost 0.1 GiB of memory instead of 2.2 GiB.
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(folder / "s3"),
        "STATE_DIR": str(folder / "state"),
        # Nothing of the user's own AWS set-up may reach the handlers.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        settings.VARIABLE: config.to_env(),
        watchdog.TOKEN_VARIABLE: config.token,
    }
