"""The command line: its commands, and how it ends."""

from __future__ import annotations

import gc
import os
import sys
import traceback
from types import TracebackType
from typing import Annotated, NoReturn

import typer

import imagemill
from imagemill.errors import ExitCode, ToolError
from imagemill.options.config import CONFIG, FILE_NAME
from imagemill.paths import escaped
from imagemill.signals import terminate_as_exit
from imagemill.signatures import on_a_stack, on_this_machine, recipes, results
from imagemill.signatures.plain_values import PlainCommand
from imagemill.signatures.sections import ON_A_STACK, ON_THIS_MACHINE, RESULTS, SectionedGroup
from imagemill_engine.errors import LocalError

DEBUG = "IMAGEMILL_DEBUG"
PROGRAM = "imagemill"
# New objects between two collections: what is imported is never garbage.
GARBAGE_OBJECTS = 50_000

app = typer.Typer(
    name=PROGRAM,
    cls=SectionedGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for section, module in (
    (ON_THIS_MACHINE, on_this_machine),
    (ON_A_STACK, on_a_stack),
    (RESULTS, results),
):
    for command in module.COMMANDS:
        app.command(rich_help_panel=section, cls=PlainCommand)(command)
app.add_typer(recipes.app, rich_help_panel=RESULTS)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{PROGRAM} {imagemill.__version__}")
        raise typer.Exit


def _debug(wanted: bool) -> None:
    if wanted:
        os.environ[DEBUG] = "true"


def _configure(path: str | None) -> None:
    if path:
        os.environ[CONFIG] = path


@app.callback()
def options_of_all(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
    config: Annotated[
        str | None,
        typer.Option(
            "--config",
            callback=_configure,
            metavar="FILE",
            envvar=CONFIG,
            help=f"Config file (default: {FILE_NAME} in the working folder)",
        ),
    ] = None,
    debug: Annotated[
        bool,
        typer.Option(
            "--debug", callback=_debug, envvar=DEBUG, help="Show where in the code an error arose."
        ),
    ] = False,
) -> None:
    """Turns a bucket of images into training-ready data.

    Example: imagemill run PHOTOS OUT --size 256
    """


def main() -> None:
    """Run the command line and exit with a code of `ExitCode`."""
    gc.set_threshold(GARBAGE_OBJECTS)
    terminate_as_exit()
    sys.excepthook = _print_briefly
    try:
        app(prog_name=PROGRAM)
    except ToolError as error:
        _end(str(error), error.exit_code)
    except LocalError as error:
        _end(str(error), ExitCode.FAILED)
    except OSError as error:  # a full disk, a folder that went away
        place = f'"{escaped(str(error.filename))}": ' if error.filename else ""
        _end(f"{place}{error.strerror or error}.", ExitCode.FAILED)
    finally:
        gc.freeze()  # the interpreter would look for garbage for a sixth of a second before it ends


def _end(sentence: str, code: ExitCode) -> NoReturn:
    if os.environ.get(DEBUG):
        traceback.print_exc()
    typer.echo(f"{PROGRAM}: {sentence}", err=True)
    sys.exit(code)


def _print_briefly(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Show an error that nobody expected, with its traceback only if that is asked for."""
    if os.environ.get(DEBUG):
        sys.__excepthook__(kind, error, trace)
        return
    typer.echo(
        f"{PROGRAM}: unexpectedly {kind.__name__}: {error}. To see where: {PROGRAM} --debug ...",
        err=True,
    )
