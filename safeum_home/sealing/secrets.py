"""The sealed secrets of a node: credentials of providers, the TLS key. Names in clear, values sealed."""

import re
import threading
from pathlib import Path

import msgspec

from safeum_home.errors import Code, Problem, Tampered
from safeum_home.sealing import files
from safeum_home.sealing.keys import SealedKey

LONGEST_VALUE = 64 * 1024
MOST_SECRETS = 256
NAME_PATTERN = r"^[a-z0-9][a-z0-9._-]{0,63}$(?!\n)"
_NAME = re.compile(NAME_PATTERN)


class _File(msgspec.Struct, forbid_unknown_fields=True):
    version: int
    secrets: dict[str, bytes]


class SecretStore:
    """Secrets in one file, or in memory alone where `path` is None. It owns `key`.

    `set` and `delete` block while they write: run them in a thread. They may run on any.
    """

    def __init__(self, key: SealedKey, path: Path | None) -> None:
        """Blocks while it reads. Raises `wrong_root_secret` where the file is damaged, and OSError."""
        self._key = key
        self._path = path
        self._lock = threading.Lock()
        data = files.read(path) if path is not None else None
        self._sealed: dict[str, bytes] = {} if data is None else _decode(data)

    def names(self) -> list[str]:
        return sorted(self._sealed)

    def open(self, name: str) -> bytes:
        """The value; raises `not_found`, or `Tampered`."""
        sealed = self._sealed.get(name)
        if sealed is None:
            raise Problem(Code.NOT_FOUND)
        return self._key.open(sealed, _context(name))

    def set(self, name: str, value: bytes) -> None:
        """Add or replace a secret.

        Raises `invalid_params` (the name), `too_large` (over 64 KiB), `limit_reached` (over 256
        secrets), and OSError with nothing changed.
        """
        if not _NAME.match(name):
            raise Problem(Code.INVALID_PARAMS, "a name has up to 64 of a-z, 0-9, dot, dash and underscore")
        if len(value) > LONGEST_VALUE:
            raise Problem(Code.TOO_LARGE)
        with self._lock:
            if name not in self._sealed and len(self._sealed) >= MOST_SECRETS:
                raise Problem(Code.LIMIT_REACHED)
            self._write({**self._sealed, name: self._key.seal(value, _context(name))})

    def delete(self, name: str) -> None:
        """Raises `not_found`, and OSError with nothing changed."""
        with self._lock:
            if name not in self._sealed:
                raise Problem(Code.NOT_FOUND)
            self._write({other: sealed for other, sealed in self._sealed.items() if other != name})

    def wipe(self) -> None:
        """Zero the key: no secret can be opened afterwards."""
        self._key.wipe()

    def _write(self, secrets: dict[str, bytes]) -> None:
        if self._path is not None:
            data = msgspec.json.encode(_File(1, secrets), order="sorted")
            files.replace(self._path, msgspec.json.format(data) + b"\n")
        self._sealed = secrets


def _context(name: str) -> bytes:
    return b"secret\0" + name.encode()


def _decode(data: bytes) -> dict[str, bytes]:
    try:
        return msgspec.json.decode(data, type=_File).secrets
    except msgspec.DecodeError:
        raise Tampered from None
