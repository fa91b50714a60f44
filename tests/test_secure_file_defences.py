"""Tests of nodes and members that mean harm to files of secure chats notice when what they test is gone."""

from typing import Any

from nacl import bindings
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.files.file_transfer import FileTransfer
from safeum_home.client.files.partial_file import PartialFile
from safeum_home.client.secure import files
from safeum_home.client.secure.files import CHUNK, FileOpener
from safeum_home.client.unlocked import file_opening
from safeum_home.client.unlocked.file_sealing import SealedSource
from safeum_home.protocol.commands import DownloadTicket, FileDownload
from safeum_home.storage import file_upkeep
from tests.without import Defence, check, nothing

NODE = "tests.test_client_secure_files_hostile.NodeTests."
MEMBER = "tests.test_client_secure_files_hostile.MemberTests."
UPLOADS = "tests.test_client_secure_files.UploadTests."


class _Any(int):
    """A number that is equal to all numbers."""

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = int.__hash__


async def _unmeasured(self: Any, message: Any, _body: Any, span: Any, sink: Any, _progress: Any) -> None:
    """`FileTransfer._span` that takes whatever comes for all of it."""
    ticket = await self._ask(FileDownload(message.chat, message.id), DownloadTicket)
    await self._web().ask("GET", ticket.path, {"Range": f"bytes={span[0]}-"}, sink=lambda _: sink)


def _garbled(self: Any, sealed: bytes, expected: int) -> bytes:
    """`FileOpener._pull` that takes whatever comes."""
    file = sealed[: min(CHUNK, self._left)]
    self._left -= len(file)
    return file


def _any_tag(self: Any, sealed: bytes, expected: int) -> bytes:
    """`FileOpener._pull` that does not look which chunk is the last."""
    chunk, _ = bindings.crypto_secretstream_xchacha20poly1305_pull(self._state, sealed)
    file = chunk[: self._left]
    self._left -= len(file)
    self._filling -= len(chunk) - len(file)
    return bytes(file)


def _at_its_end(self: Any) -> bytes:
    """`FileOpener.end` that does not look what it was."""
    if not self._waiting:
        return b""
    return bytes(self._pull(bytes(self._waiting), files._LAST))


def _sealed_again(self: Any, size: int) -> bytes:
    """`SealedSource.read` that keeps nothing, and encrypts the file as it is now."""
    state = bindings.crypto_secretstream_xchacha20poly1305_state()
    bindings.crypto_secretstream_xchacha20poly1305_init_pull(state, bytes(24), bytes(32))
    self._file.seek(0)
    octets = bytes(24)
    while chunk := self._file.read(CHUNK):
        octets += bindings.crypto_secretstream_xchacha20poly1305_push(state, chunk)
    read = octets.ljust(self.size, b"\0")[self._at : self._at + size]
    self._at += len(read)
    return read


GARBLED = Defence(FileOpener, "_pull", _garbled)
ENDS = Defence(FileOpener, "end", _at_its_end)

DEFENCES: dict[str, tuple[str, tuple[Defence, ...]]] = {
    "chunks that were changed": (NODE + "test_changed", (GARBLED, ENDS)),
    "chunks in another order": (NODE + "test_reordered", (GARBLED, ENDS)),
    "chunks that come twice": (NODE + "test_repeated", (GARBLED, ENDS)),
    "other files": (NODE + "test_swapped", (GARBLED, ENDS)),
    "files that are spliced": (NODE + "test_spliced", (GARBLED, ENDS)),
    "files of other messages": (NODE + "test_another_message", (GARBLED, ENDS)),
    "files in memory": (NODE + "test_in_memory", (GARBLED, ENDS)),
    "files that are cut": (
        NODE + "test_cut",
        (Defence(FileTransfer, "_span", _unmeasured), GARBLED, ENDS),
    ),
    "files that have expired": (
        "tests.test_client_secure_expired.ExpiredTests.test_gone",
        (Defence(file_upkeep, "drop_over", lambda c, now, limit: 0),),
    ),
    "files of another length": (
        NODE + "test_another_length",
        (Defence(file_opening, "sealed_size", lambda _: _Any()),),
    ),
    "what is left of what was refused": (NODE + "test_spliced", (Defence(PartialFile, "drop", nothing),)),
    "files with another hash": (MEMBER + "test_another_hash", (ENDS,)),
    "files without an end": (MEMBER + "test_without_an_end", (Defence(FileOpener, "_pull", _any_tag),)),
    "what fills files up": (MEMBER + "test_what_fills_it_up", (Defence(FileOpener, "_pull", _any_tag),)),
    "nonces that are used twice": (
        UPLOADS + "test_written_to_meanwhile",
        (Defence(SealedSource, "read", _sealed_again), Defence(SealedSource, "acknowledged", nothing)),
    ),
    "nodes that forget": (
        UPLOADS + "test_a_node_that_forgets",
        (Defence(SealedSource, "acknowledged", nothing),),
    ),
}


def _of(name: str) -> Any:
    test, defences = DEFENCES[name]

    def notices(self: "SecureFileDefenceTests") -> None:
        check(self, test, *defences)

    notices.__doc__ = f"Without it the test of {name} fails."
    return notices


class SecureFileDefenceTests(SynchronousTestCase):
    """A method for each of `DEFENCES`."""


for _number, _name in enumerate(DEFENCES):
    setattr(SecureFileDefenceTests, f"test_{_number:02}", _of(_name))
