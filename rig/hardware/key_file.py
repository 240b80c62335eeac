"""Files with a DES key of C12.21's authentication: one line, for their owner alone (X-1, S-1)."""

from __future__ import annotations

import os
from pathlib import Path

from rig.errors import RigError
from rig.files.own import check_own, open_to_read
from rig.files.secret import open_to_others
from rig.hardware.des_key import DesKey, DesKeyError

MOST_BYTES = 64


class KeyFileError(RigError):
    """A key file that cannot be had, or used: one sentence with what it is of and its path, without the key."""


def load_des_key(path: Path, what: str) -> DesKey:
    """Read a key; `what` names the setting, such as "ports.authentication.key_file of line". Raises KeyFileError."""
    where = f"{what}: {path}"
    try:
        with open_to_read(path) as file:
            found = os.fstat(file.fileno())
            check_own(path, found, write=True)
            if said := open_to_others(path, found.st_mode):
                raise KeyFileError(f"{what}: {said}")
            data = file.read(MOST_BYTES + 1)
            text = data.decode("ascii").strip() if len(data) <= MOST_BYTES else ""
    except OSError as error:
        raise KeyFileError(f"{where} cannot be read ({error.strerror}): give a file of your own with the key") from None
    except ValueError:
        raise KeyFileError(f"{where} is no text: it must be sixteen hexadecimal digits and no more") from None
    try:
        return DesKey.parse(text)
    except DesKeyError as error:
        raise KeyFileError(f"{where} {error}") from None
