"""The group of all commands: as wide as the terminal, and with the spellings that commands once had."""

from __future__ import annotations

import shlex
from typing import Any

from typer.core import TyperGroup

from rig.plain_text import print_error
from rig.terminal.width import USUAL_COLUMNS, columns

LOAD = "--intervals"
"""With a load's record behind it, `rig replay` was what `rig bill` is."""

MARGIN = 2
"""Columns that help leaves free on the right."""


class CommandGroup(TyperGroup):
    """`rig`, all commands below it."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        extra.setdefault("terminal_width", min(columns(), USUAL_COLUMNS) - MARGIN)
        return super().make_context(info_name, args, parent, **extra)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if (now := present_spelling(args)) != args:
            print_error(f"note: rig replay {LOAD} is now: rig {shlex.join(now)}")
        return super().resolve_command(ctx, now)


def present_spelling(words: list[str]) -> list[str]:
    """A command's words as they are spelled today: `replay --intervals LOAD …` is `bill LOAD …`."""
    if words[:1] != ["replay"]:
        return words
    for k, word in enumerate(words):
        if word == LOAD and k + 1 < len(words):
            return ["bill", words[k + 1], *words[1:k], *words[k + 2 :]]
        if word.startswith(f"{LOAD}="):
            return ["bill", word.partition("=")[2], *words[1:k], *words[k + 1 :]]
    return words
