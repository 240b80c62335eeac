"""Files with passwords, which only their owner may read."""

from __future__ import annotations

from pathlib import Path


def own_file(path: Path, text: str) -> Path:
    """Write a file that is nobody else's."""
    path.touch(0o600)
    path.chmod(0o600)
    path.write_text(text)
    return path
