"""The menu of `rig meter PORT`, on whatever terminal there is."""

from __future__ import annotations

from dataclasses import replace

import typer

from rig.cli.meter_options import ask_for_password
from rig.plain_text import print_line
from rig.reader.menu import Menu
from rig.reader.meter import MeterAccess


def show_menu(access: MeterAccess) -> None:
    """Show it until it is left, or the input ends; a password that is needed is asked for."""
    access = replace(access, passwords=access.passwords.with_prompt(ask_for_password))
    try:
        Menu(access, _ask, print_line).run()
    except (typer.Abort, EOFError):
        return


def _ask(question: str) -> str:
    answer: str = typer.prompt(question, default="", show_default=False)
    return answer
