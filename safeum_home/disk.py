"""What is on the disk once a function has returned."""

import os
from pathlib import Path


def sync_directory(path: Path) -> None:
    """The names in a folder are there after a crash too: files that were created, renamed or deleted."""
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
