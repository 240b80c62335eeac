"""Passwords and keys of meters: from a file, a keyring or a prompt; never from a command line, into a file or a log.

A keyring is TOML that only its owner may read: `[passwords]` with a meter's serial number, a device such as
`/dev/ttyUSB0`, or `"*"` for all others, and the password of each; `[keys]` with the DES keys of C12.21 in the same way.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Any

from rig.communication.c1218.services import PASSWORD_BYTES
from rig.errors import RigError
from rig.files.bounded import parse_toml, read_bounded
from rig.files.secret import SecretFileError, open_to_others, secret_line, why_unread
from rig.hardware.des_key import DesKey, DesKeyError
from rig.hardware.key_file import load_des_key

MOST_FILE_BYTES = 1 << 16
ANY = "*"


class PasswordError(RigError):
    """A password that cannot be had, or is none: one sentence, without it."""


def default_keyring() -> Path:
    """Give where a keyring is looked for: $XDG_CONFIG_HOME/ae0764-rig/keyring.toml, ~/.config without the variable."""
    base = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(os.path.expanduser(base), "ae0764-rig", "keyring.toml")


class Passwords:
    """Source of passwords: a file, else a keyring, else `prompt` if there is somebody to ask.

    `prompt` is called with what to ask for; None: nobody is asked.
    """

    def __init__(
        self,
        file: Path | None = None,
        keyring: Path | None = None,
        prompt: Callable[[str], str] | None = None,
        key_file: Path | None = None,
    ) -> None:
        """Read the files. Raises PasswordError, KeyFileError."""
        self._prompt = prompt
        self._prompt_if_needed: Callable[[str], str] | None = None
        self._typed: bytes | None = None
        self._given = None if file is None else as_password(_line(file), f"the password in {file}")
        default = default_keyring()
        path = keyring if keyring is not None else default if os.path.exists(default) else None
        self._ring, self._key_ring = ({}, {}) if path is None else _keyring(path)
        self._key = None if key_file is None else load_des_key(key_file, "the key")

    def with_prompt(self, prompt: Callable[[str], str]) -> Passwords:
        """Give the same source, with somebody to ask where a password is needed and none is known."""
        found = copy(self)
        found._prompt_if_needed = prompt
        return found

    def forget(self) -> None:
        """Forget a password that was typed and is wrong."""
        self._typed = None

    def of(self, serial: str, device: str, *, needed: bool = False) -> bytes | None:
        """Give the password of a meter, None for none; if `needed`, whoever is there is asked. Raises PasswordError."""
        if self._given is not None:
            return self._given
        for name in (serial, device, ANY):
            if name and name in self._ring:
                return self._ring[name]
        if self._typed is None:
            prompt = self._prompt or (self._prompt_if_needed if needed else None)
            if prompt is not None:
                whose = f"meter {serial}" if serial else f"the meter at {device}"
                self._typed = as_password(prompt(f"password of {whose}"), "the password")
        return self._typed

    def key_of(self, serial: str, device: str) -> DesKey | None:
        """Give the DES key of a meter, None for none."""
        if self._key is not None:
            return self._key
        return next((self._key_ring[name] for name in (serial, device, ANY) if name and name in self._key_ring), None)


def as_password(text: str, what: str) -> bytes:
    """Make a password's bytes. Raises PasswordError for more than twenty characters, or others than ASCII."""
    try:
        data = text.encode("ascii")
    except UnicodeEncodeError:
        data = b""
        if text:
            raise PasswordError(f"{what} has characters that are no ASCII: give up to {PASSWORD_BYTES} of it") from None
    if len(data) > PASSWORD_BYTES or not data.isascii() or b"\0" in data:
        raise PasswordError(f"{what} is none of up to {PASSWORD_BYTES} characters of ASCII: give the meter's own")
    return data


def _line(path: Path) -> str:
    try:
        return secret_line(path)
    except SecretFileError as error:
        raise PasswordError(f"{path} {error}: give a file with a password in a line") from None


def _keyring(path: Path) -> tuple[dict[str, bytes], dict[str, DesKey]]:
    form = 'give TOML with [passwords] and lines such as "87 654 322" = "1A2B3C"'
    try:
        if said := open_to_others(path, path.stat().st_mode):
            raise PasswordError(said)
        tables: dict[str, Any] = parse_toml(read_bounded(path, MOST_FILE_BYTES).decode())
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        # The parser's own words quote the file, which has passwords.
        raise PasswordError(f"{path} is no TOML ({type(error).__name__}): {form}") from None
    except (OSError, ValueError) as error:
        raise PasswordError(f"{path} cannot be read ({why_unread(error)}): {form}") from None
    are_tables = all(isinstance(each, dict) for each in tables.values())
    if not tables or tables.keys() - {"passwords", "keys"} or not are_tables:
        raise PasswordError(f"{path} has other tables than [passwords] and [keys]: {form}")
    for table, what in (("passwords", "password"), ("keys", "key")):
        for name, value in tables.get(table, {}).items():
            if not isinstance(value, str):
                raise PasswordError(f"{path}: the {what} of {name!r} is no text: {form}")
    passwords = {
        name: as_password(value, f"{path}: the password of {name!r}")
        for name, value in tables.get("passwords", {}).items()
    }
    keys = {name: _key(value, f"{path}: the key of {name!r}") for name, value in tables.get("keys", {}).items()}
    return passwords, keys


def _key(text: str, what: str) -> DesKey:
    try:
        return DesKey.parse(text)
    except DesKeyError as error:
        raise PasswordError(f"{what} {error}") from None
