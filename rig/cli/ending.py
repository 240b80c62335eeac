"""Endings of a command: its exit status, and one sentence on standard error for whatever kept it from its result.

| status | ending |
|---|---|
| 0 | done |
| 1 | ran and failed: what was asked came out bad, or nobody takes the output |
| 2 | could not run: a mistake in the command or a file, or something missing; nothing on standard output |
| 130 | Ctrl-C before there was a result. `rig run` and `rig record` end by it as they should: 0 |
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from typing import NoReturn

import typer

from rig.failures import refuse
from rig.plain_text import print_error_lines, print_traceback


def run_to_end(app: typer.Typer) -> NoReturn:
    """Run the command line in `sys.argv` and end the process."""
    if sys.stderr is None:  # closed: what is printed there would go to standard output
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    if sys.stdout is None:
        sys.exit(refuse("standard output is closed: give it a file, or /dev/null"))
    try:
        status = app(prog_name="rig", standalone_mode=False)
        sys.stdout.flush()
        sys.exit(status if isinstance(status, int) else 0)
    except (SystemExit, KeyboardInterrupt):
        raise  # the usual ends: what else could have come needs no looking up, which takes long
    except typer.Abort:  # Ctrl-C, or the input's end, where something was to be typed
        sys.exit(128 + signal.SIGINT)
    except typer.TyperException as error:
        sys.exit(_misused(error))
    except BrokenPipeError:
        _end_without_output()  # whoever read it has left
    except UnicodeEncodeError as error:
        sign = ascii(error.object[error.start])
        refuse(f"the output takes no {sign} (its encoding is {error.encoding}): set LC_ALL=C.UTF-8")
        _end_without_output()
    except Exception as error:
        _failed(error)


def _misused(error: typer.TyperException) -> int:
    """A command line that the parser refuses, in a sentence, with where to look; its exit status."""
    said = error.format_message().replace("Value error, ", "")  # how the validator begins
    context = getattr(error, "ctx", None)
    if context is not None and said == context.get_help():  # a group without its command
        print_error_lines(said)
        return 2
    command = "rig" if context is None else context.command_path
    return refuse(f"{' '.join(said.split()).rstrip('.')}: see {command} --help")


def _failed(error: Exception) -> NoReturn:
    from rig.failures import MENDABLE, unexpected

    if isinstance(error, MENDABLE):
        refuse(str(error))
        sys.exit(getattr(error, "status", 2))
    if "RIG_TRACEBACK" in os.environ:
        print_traceback(type(error), error, error.__traceback__)
        sys.exit(1)
    if isinstance(error, ModuleNotFoundError):
        sys.exit(refuse(f"this needs {error.name}, which is not installed: install the extras [sim,gateware]"))
    full = isinstance(error, OSError) and error.errno == errno.ENOSPC and error.filename is None
    refuse("the output cannot be written: no space left there" if full else unexpected(error))
    _end_without_output()


def _end_without_output() -> NoReturn:
    """With status 1, and without Python's own word that what is left could not be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(1)
