"""One program at a time has a store."""

from __future__ import annotations

from pathlib import Path

from rig.files.claim import Claim, ClaimError
from rig.store.errors import StoreError

LOCK = "lock"
"""The file of a store that names the process which has it."""


class FolderLock:
    """Held from construction to close(), or until the process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        try:
            self._claim = Claim(folder / LOCK, f"the store {folder}")
        except ClaimError as error:
            raise StoreError(str(error)) from None

    def close(self) -> None:
        """Let go; what was closed before stays so."""
        self._claim.close()
