"""The engine process: the emulator with our hooks, serving one socket of this machine."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import importlib.util
import os
import pkgutil
import resource
import sys
import threading
from types import ModuleType

from imagemill_engine.settings import VARIABLE, EngineSettings

# Long enough that a client's idle connection is not closed under its next request.
KEEP_ALIVE_SECONDS = 75
# New objects between two collections: modules are many, and none of them is garbage.
GARBAGE_OBJECTS = 50_000
_EXECUTE = "execute when something is wanted"
_IMPORT_LOCK = threading.RLock()


def end_with_the_owner() -> None:
    """End at once when the owner closes our standard input, or dies.

    The state is thrown away with the folder, so there is nothing to save; the watchdog kills the
    jobs and the handlers that are still running.
    """
    while os.read(0, 4_096):
        pass
    os._exit(0)


def raise_open_file_limit() -> None:
    """As far as this user may: each client and each job holds some files open."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS refuses its own hard limit
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class ImportedLater(ModuleType):
    """A module that is imported when something of it is first wanted, by whichever thread."""

    def __getattr__(self, name: str) -> object:
        """What the module does not have, or not yet."""
        if name.startswith("__"):  # asked while modules are imported
            raise AttributeError(name)
        with _IMPORT_LOCK:
            if execute := vars(self).pop(_EXECUTE, None):
                execute(self)
            if name in vars(self):
                return vars(self)[name]
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")


def import_later(name: str) -> None:
    """Have a module that is imported in future imported when something of it is wanted."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(name)
    module = importlib.util.module_from_spec(spec)
    module.__class__ = ImportedLater
    vars(module)[_EXECUTE] = spec.loader.exec_module
    sys.modules[name] = module
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, module)


def import_services_later() -> None:
    """The emulator imports most of its dozens of services for one table of theirs.

    That takes a tenth of a second, and one of them makes an RSA key meanwhile.
    """
    package = importlib.import_module("ministack.services")
    for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if not found.ispkg and found.name not in sys.modules:
            import_later(found.name)


def serve(config: EngineSettings) -> None:
    """Serve until SIGTERM. Raises HookError when a hook does not fit the emulator."""
    gc.set_threshold(GARBAGE_OBJECTS)
    sys.modules["docker"] = None  # type: ignore[assignment] # "no such module": never needed
    # Imported here: the emulator reads its settings from the environment while it is imported.
    import_services_later()
    from hypercorn.asyncio import serve as serve_asgi
    from hypercorn.config import Config
    from ministack.app import app

    from imagemill_engine.hooks.installation import install_hooks

    install_hooks(config)
    server = Config()
    server.bind = [f"fd://{config.listener}"]
    server.keep_alive_timeout = KEEP_ALIVE_SECONDS
    server.loglevel = "WARNING"
    asyncio.run(serve_asgi(app, server))


def main() -> None:
    """Run the engine that the environment describes."""
    config = EngineSettings.from_env(os.environ)
    # Neither is for the handlers, whose environment starts as a copy of this one.
    del os.environ[VARIABLE]
    os.environ.pop("PYTHONPATH", None)
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"  # their code lies in a folder of this run
    for descriptor in (config.listener, config.watchdog):
        os.set_inheritable(descriptor, False)
    os.write(config.watchdog, f"group {os.getpgrp()}\n".encode())
    threading.Thread(target=end_with_the_owner, daemon=True, name="owner").start()
    raise_open_file_limit()
    serve(config)
    os._exit(0)  # SIGTERM: no handler that still runs may hold up the end


if __name__ == "__main__":
    main()
