"""Files that are read whole, if they are small enough for that."""

from pathlib import Path


def read_up_to(path: Path, most: int) -> bytes | None:
    """The octets of a file; None where there are more than `most`. Raises OSError."""
    with path.open("rb") as file:
        octets = file.read(most + 1)
    return None if len(octets) > most else octets
