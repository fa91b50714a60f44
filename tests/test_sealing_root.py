"""The root secret as words and shares, and where it comes from unattended."""

import os
import struct
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from safeum_home.errors import Code, Problem
from safeum_home.sealing import root, sources
from safeum_home.sealing.libc import file_system_type
from safeum_home.sealing.memory import Arena, Slot
from safeum_home.sealing.root import HeldShare

ARENA = Arena()
# The vector of 24 words and zeros in BIP-39's own test vectors.
ZERO_WORDS = "abandon " * 23 + "art"


def octets(slot: Slot) -> bytes:
    return bytes(slot.view())


class RootCase(SynchronousTestCase):
    """What the tests below share."""

    def setUp(self) -> None:
        self.root = root.generate(ARENA)
        self.octets = octets(self.root)

    def whole(self, text: str) -> Slot:
        found = root.parse(ARENA, text)
        assert isinstance(found, Slot)
        return found

    def share(self, text: str) -> HeldShare:
        found = root.parse(ARENA, text)
        assert isinstance(found, HeldShare)
        return found

    def refuse(self, code: Code, text: str) -> Problem:
        with self.assertRaises(Problem) as caught:
            root.parse(ARENA, text)
        self.assertIs(caught.exception.code, code)
        problem: Problem = caught.exception
        return problem


class WordTests(RootCase):
    """BIP-39."""

    def test_round_trip(self) -> None:
        """24 words are the root secret, however they are written."""
        words = root.to_words(self.root)
        self.assertEqual(len(words.split()), 24)
        numbered = "\n".join(f" {number}. {word.upper()}," for number, word in enumerate(words.split(), 1))
        for text in (words, words.title(), f"  {words}\r\n", words.replace(" ", "\n\t "), numbered):
            self.assertEqual(octets(self.whole(text)), self.octets)
        self.assertEqual(octets(self.root), self.octets)

    def test_vector(self) -> None:
        """The words are those of the standard."""
        self.assertEqual(octets(self.whole(ZERO_WORDS)), bytes(32))
        self.assertEqual(root.to_words(ARENA.slot()), ZERO_WORDS)

    def test_hexadecimal(self) -> None:
        """64 hexadecimal digits are a root secret too."""
        self.assertEqual(octets(self.whole(f" {self.octets.hex().upper()}\n")), self.octets)

    def test_refused(self) -> None:
        """What is not a secret is refused, and the refusal quotes none of it."""
        words = root.to_words(self.root).split()
        share = root.split(self.root, 2, 2)[0].split()
        at = next(at for at in range(5, len(share)) if share[at] != share[at + 1])
        for text in (
            "",
            "hunter2",
            " ".join(words[:23]),
            " ".join([*words, "zoo"]),
            " ".join(["qwertyuiop", *words[1:]]),
            " ".join(["qwertyuiop", *share[1:]]),
            " ".join([*share[:at], share[at + 1], share[at], *share[at + 2 :]]),
            self.octets.hex()[:-1],
            "\0" * 64,
        ):
            problem = self.refuse(Code.INVALID_WORDS, text)
            self.assertIsNone(problem.__context__)
            # These are words of the lists, too: what is said of any text quotes none.
            said = set(f"{problem.detail}".split()) - {"list", "secret", "share", "word"}
            self.assertEqual(said & set(text.split()), set())


class ShareTests(RootCase):
    """SLIP-39."""

    @given(st.integers(2, 5), st.integers(0, 3))
    @settings(max_examples=5, deadline=None)
    def test_any_of_them(self, threshold: int, more: int) -> None:
        """Any `threshold` shares are the root secret, in any order."""
        texts = root.split(self.root, threshold, threshold + more)
        self.assertEqual(len(set(texts)), threshold + more)
        chosen = [self.share(text.upper()) for text in texts[more:]]
        self.assertEqual({share.threshold for share in chosen}, {threshold})
        self.assertEqual(octets(root.combine(ARENA, reversed(chosen))), self.octets)

    def test_one_of_one(self) -> None:
        """A single share is possible."""
        [text] = root.split(self.root, 1, 1)
        self.assertEqual(octets(root.combine(ARENA, [self.share(text)])), self.octets)

    def test_not_together(self) -> None:
        """Shares of another set do not fit, and combining too few or foreign ones is refused."""
        mine = [self.share(text) for text in root.split(self.root, 2, 3)]
        theirs = [self.share(text) for text in root.split(self.root, 2, 3)]
        self.assertTrue(mine[0].fits(mine[1]))
        self.assertFalse(mine[0].fits(theirs[1]))
        for shares in ([mine[0]], [mine[0], theirs[1]], [mine[0], mine[0]], mine):
            with self.assertRaises(Problem) as caught:
                root.combine(ARENA, shares)
            self.assertIs(caught.exception.code, Code.FOREIGN_SHARE)
            self.assertIsNone(caught.exception.__context__)

    def test_forged(self) -> None:
        """A share of the right set whose secret part was changed is told by the digest."""
        mine = [self.share(text) for text in root.split(self.root, 2, 2)]
        mine[1].value.fill_random()
        with self.assertRaises(Problem) as caught:
            root.combine(ARENA, mine)
        self.assertIs(caught.exception.code, Code.FOREIGN_SHARE)

    def test_numbers(self) -> None:
        """Only sensible numbers of shares are made."""
        for threshold, count in ((0, 1), (3, 2), (1, 2), (2, 17), (-1, -1)):
            with self.assertRaises(Problem) as caught:
                root.split(self.root, threshold, count)
            self.assertIs(caught.exception.code, Code.INVALID_PARAMS)


class SourceTests(RootCase):
    """Descriptors and credential files."""

    def _piped(self, data: bytes) -> Slot:
        reading, writing = os.pipe()
        os.write(writing, data)
        os.close(writing)
        slot = sources.read_descriptor(ARENA, reading)
        self.assertRaises(OSError, os.fstat, reading)
        return slot

    def test_descriptor(self) -> None:
        """Raw octets, words and hexadecimal digits are taken; the descriptor is closed."""
        for data in (self.octets, root.to_words(self.root).encode() + b"\n", self.octets.hex().encode()):
            self.assertEqual(octets(self._piped(data)), self.octets)

    def test_descriptor_refused(self) -> None:
        """Anything else is not, and a single share is not enough."""
        share = root.split(self.root, 2, 2)[0].encode()
        for data in (b"", b"\xff" * 31, b"x" * 600, share):
            with self.assertRaises(Problem) as caught:
                self._piped(data)
            self.assertIs(caught.exception.code, Code.INVALID_WORDS)

    def _in_memory(self) -> Path:
        if not os.access("/dev/shm", os.W_OK):
            raise SkipTest("there is no tmpfs at /dev/shm")
        folder = tempfile.TemporaryDirectory(dir="/dev/shm")
        self.addCleanup(folder.cleanup)
        path = Path(folder.name, sources.CREDENTIAL)
        path.write_bytes(self.octets)
        path.chmod(0o400)
        return path

    def _unsafe(self, path: Path) -> None:
        with self.assertRaises(Problem) as caught:
            sources.read_credential(ARENA, path)
        self.assertIs(caught.exception.code, Code.UNSAFE_SOURCE)

    def test_credential(self) -> None:
        """A file in memory, for its owner alone, is taken; the environment names it."""
        path = self._in_memory()
        self.assertEqual(octets(sources.read_credential(ARENA, path)), self.octets)
        environment = {"CREDENTIALS_DIRECTORY": str(path.parent)}
        self.assertEqual(sources.credential_path(environment), path)
        self.assertIsNone(sources.credential_path({}))
        self.assertIsNone(sources.credential_path({"CREDENTIALS_DIRECTORY": "/nonexistent"}))

    def test_others_may_read(self) -> None:
        """A file that others may read is refused."""
        path = self._in_memory()
        for mode in (0o440, 0o404, 0o644):
            path.chmod(mode)
            self._unsafe(path)

    def test_access_list(self) -> None:
        """With an ACL, as systemd sets one, the users in it count and not the mask."""
        path = self._in_memory()

        def acl(user: int, group: int) -> bytes:
            entries = [(1, 4, 2**32 - 1), (2, 4, user), (4, group, 2**32 - 1), (16, 4, 2**32 - 1)]
            entries.append((32, 0, 2**32 - 1))
            return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)

        try:
            os.setxattr(path, "system.posix_acl_access", acl(os.geteuid(), 0))
        except OSError:
            raise SkipTest("the tmpfs has no ACLs") from None
        self.assertEqual(path.stat().st_mode & 0o777, 0o440)
        self.assertEqual(octets(sources.read_credential(ARENA, path)), self.octets)
        for unsafe in (acl(os.geteuid() + 12345, 0), acl(os.geteuid(), 4)):
            os.setxattr(path, "system.posix_acl_access", unsafe)
            self._unsafe(path)

    def test_on_a_disk(self) -> None:
        """A file on a disk, and what is no file, is refused."""
        path = Path(self.mktemp())
        path.write_bytes(self.octets)
        path.chmod(0o400)
        with path.open("rb") as file:
            if file_system_type(file.fileno()) in sources._IN_MEMORY:
                raise SkipTest("the tests run on a tmpfs")
        self._unsafe(path)
        self._unsafe(Path("/dev/null"))
        self.assertRaises(FileNotFoundError, sources.read_credential, ARENA, path.with_name("none"))
