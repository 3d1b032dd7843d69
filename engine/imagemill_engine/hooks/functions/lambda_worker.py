"""The process of a handler: what it may import, and the name of the error that it raises.

The class of an exception becomes the errorType, so that Retry and Catch find it by name.
"""

from __future__ import annotations

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from imagemill_engine.hooks import patching
from imagemill_engine.shapes import Document, Function

# How the emulator's bootstrap reports an exception `e` of a handler, and how ours does.
REPORTED = '"error": str(e), "trace"'
REPORTED_WITH_CLASS = '"error": type(e).__name__ + chr(0) + str(e), "trace"'
SEPARATOR = "\0"
# A checkout that is installed for editing would stand in for a layer that is missing.
WITHOUT_CHECKOUT = """
import sys
sys.meta_path[:] = [
    finder for finder in sys.meta_path
    if not getattr(finder, "__module__", "").startswith("__editable__")
]
"""
# Where the emulator's bootstrap changes botocore, which takes a tenth of a second to import, and
# which most handlers never do. Ours does so when a handler imports it.
CHANGED = "\n    _ms_install_invoke_depth()\n"
CHANGED_WHEN_IMPORTED = "\n    _when_imported('botocore.handlers', _ms_install_invoke_depth)\n"
WHEN_IMPORTED = """
class _Once:
    def __init__(self, name, action):
        self.name, self.action = name, action

    def find_spec(self, name, path=None, target=None):
        if name != self.name:
            return None
        sys.meta_path.remove(self)
        import importlib.util
        spec = importlib.util.find_spec(name)
        if spec is not None:
            execute = spec.loader.exec_module
            def executed(module):
                execute(module)
                parent, _, child = name.rpartition(".")
                setattr(sys.modules[parent], child, module)  # as the import will, too late for us
                self.action()
            spec.loader.exec_module = executed
        return spec

def _when_imported(name, action):
    sys.meta_path.insert(0, _Once(name, action))
"""

# Of modules none is garbage: to look for it while they are imported takes 15 ms.
UNCOLLECTED = "import gc\ngc.disable()\n"
IMPORTED = "        handler_fn = getattr(mod, handler_name)\n"
COLLECTED_AGAIN = "        gc.freeze()\n        gc.enable()\n"


def install() -> None:
    """Change the bootstrap of new processes, and read what it reports."""
    script = str(patching.require(lambda_runtime, "_PYTHON_WORKER_SCRIPT"))
    replacements = {
        REPORTED: ("report an exception", REPORTED_WITH_CLASS),
        CHANGED: ("change botocore", CHANGED_WHEN_IMPORTED),
        IMPORTED: ("find its handler", IMPORTED + COLLECTED_AGAIN),
    }
    for part, (what, replacement) in replacements.items():
        if script.count(part) != 1:
            raise patching.refusal(
                lambda_runtime, "_PYTHON_WORKER_SCRIPT", f"does not {what} as it did"
            )
        script = script.replace(part, replacement)
    lambda_runtime._PYTHON_WORKER_SCRIPT = UNCOLLECTED + WITHOUT_CHECKOUT + WHEN_IMPORTED + script
    patching.wrap(
        lambda_svc, "_execute_function_warm", ["func", "event", "request_id"], with_error_type
    )


def with_error_type(
    original: Function, function: object, event: object, request_id: str
) -> Document:
    """The result of an invocation, its errorType being the class of the exception."""
    result: Document = original(function, event, request_id)
    body = result["body"]
    if result.get("error") and SEPARATOR in body.get("errorMessage", ""):
        body["errorType"], _, body["errorMessage"] = body["errorMessage"].partition(SEPARATOR)
    return result
