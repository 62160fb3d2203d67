"""The command line: each verb reads what the user typed, calls one function, and prints its result."""

from __future__ import annotations

import json
import os
import sys
from io import TextIOWrapper
from typing import NoReturn

from cyclopts import CycloptsError

from ashore.cli import exposure, law, market, mining, networks, plan, screening
from ashore.cli.app import Usage, app
from ashore.errors import AshoreError, Fault, FaultyInput

__all__ = ["app", "exposure", "law", "main", "market", "mining", "networks", "plan", "screening"]


def main(arguments: list[str] | None = None) -> None:
    """Entry point: exit 0 on success, 1 on faulty input or an unresolvable question, 2 on wrong usage."""
    words = sys.argv[1:] if arguments is None else arguments
    _speak("--json" in words)
    try:
        code = app(words, exit_on_error=False, print_error=False, result_action="return_value")
    except (CycloptsError, Usage) as error:
        print(f"ashore: {error}", file=sys.stderr)
        print("Try: ashore --help", file=sys.stderr)
        sys.exit(2)
    except AshoreError as error:
        _refuse(error, "--json" in words)
    except BrokenPipeError:
        sys.exit(1)
    except OSError as error:  # a file or folder the system does not let anybody look at
        what = f"The system refuses this ({error.strerror or error})."
        fault = Fault(str(error.filename or "ashore"), what, "Name another file or folder, or set this one right.")
        _refuse(FaultyInput(fault), "--json" in words and error.filename is not None)
    except KeyboardInterrupt:
        print("ashore: stopped", file=sys.stderr)
        sys.exit(130)
    _leave(code if isinstance(code, int) else 0)


def _speak(json_: bool) -> None:
    """JSON is UTF-8 wherever it goes; of text, a sign the terminal does not have is a question mark."""
    if sys.stdout is None:  # closed by whoever started this
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - open as long as the process
    if isinstance(sys.stdout, TextIOWrapper):
        if json_:
            sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # as JSON escapes a lone surrogate
        else:
            sys.stdout.reconfigure(errors="replace")


def _refuse(error: AshoreError, json_: bool) -> NoReturn:
    """Says every fault, as a document too where one was asked for, and ends the process with 1."""
    if json_:
        print(json.dumps(error.as_dict(), indent=1))
    print(str(error), file=sys.stderr)
    sys.exit(1)


def _leave(code: int) -> None:
    """Ends the process, without waiting for a solver that was told to stop and has not heard it yet."""
    watch = sys.modules.get("ashore.plans.watch")
    if watch is not None and watch.at_work():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
