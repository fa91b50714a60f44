"""Unsealing step by step, and sealing again."""

from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.errors import Code, Erased, Problem
from safeum_home.sealing import root
from safeum_home.sealing.machine import FORGET_AFTER, Progress, Seal
from safeum_home.sealing.memory import Arena, Slot
from safeum_home.sealing.vault import Vault, initialise, open_vault

ARENA = Arena()


class SealTests(SynchronousTestCase):
    """A node's seal, over a state directory."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.state = Path(self.mktemp())
        self.root = root.generate(ARENA)
        initialise(self.root, self.state)
        self.words = root.to_words(self.root)
        self.shares = root.split(self.root, 3, 5)
        self.vaults: list[Vault] = []
        self.roots: list[Slot] = []
        self.seal = Seal(self.clock, ARENA, self._open, self.vaults.append)

    def _open(self, slot: Slot) -> Vault:
        self.roots.append(slot)
        return open_vault(slot, self.state)

    def _refused(self, code: Code, text: str) -> None:
        before = self.seal.progress
        with self.assertRaises(Problem) as caught:
            self.seal.offer(text)
        self.assertIs(caught.exception.code, code)
        self.assertEqual(self.seal.progress, before)

    def test_words(self) -> None:
        """The words open at once; the root secret is gone then."""
        self.assertEqual(self.seal.progress, Progress("sealed", 0, 0))
        self.assertRaises(Problem, lambda: self.seal.vault)
        self.assertEqual(self.seal.offer(self.words), Progress("open", 0, 0))
        self.assertEqual(self.vaults, [self.seal.vault])
        self.assertEqual([slot.pointer for slot in self.roots], [None])
        self._refused(Code.WRONG_STATE, self.words)
        self._refused(Code.WRONG_STATE, self.shares[0])

    def test_shares(self) -> None:
        """Shares are counted until they are enough; the waiting ones are wiped then."""
        self.assertEqual(self.seal.offer(self.shares[4]), Progress("unsealing", 1, 3))
        self.assertEqual(self.seal.offer(self.shares[0]), Progress("unsealing", 2, 3))
        held = list(self.seal._core.shares)
        self.assertEqual(self.seal.offer(self.shares[2]), Progress("open", 0, 0))
        self.assertEqual([share.value.pointer for share in held], [None, None])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_wrong_shares(self) -> None:
        """A wrong share is refused and costs none of those before it."""
        self.seal.offer(self.shares[0])
        self.seal.offer(self.shares[1])
        self._refused(Code.REPEATED_SHARE, self.shares[0].upper())
        self._refused(Code.FOREIGN_SHARE, root.split(self.root, 3, 5)[2])
        self._refused(Code.INVALID_WORDS, self.shares[2][:-5])
        self._refused(Code.INVALID_WORDS, "open sesame")
        self._refused(Code.WRONG_ROOT_SECRET, root.to_words(root.generate(ARENA)))
        self.assertEqual(self.seal.offer(self.shares[3]).state, "open")

    def test_root_of_another_node(self) -> None:
        """A complete set for another node is refused and forgotten, and the right one is still taken."""
        shares = root.split(root.generate(ARENA), 2, 2)
        self.seal.offer(shares[0])
        with self.assertRaises(Problem) as caught:
            self.seal.offer(shares[1])
        self.assertIs(caught.exception.code, Code.WRONG_ROOT_SECRET)
        self.assertEqual(self.seal.progress, Progress("sealed", 0, 0))
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self._refused(Code.WRONG_ROOT_SECRET, root.to_words(root.generate(ARENA)))
        self.assertEqual([slot.pointer for slot in self.roots], [None, None])
        self.assertEqual(self.seal.offer(self.words).state, "open")

    def test_forgotten(self) -> None:
        """Shares that wait too long are wiped; each new one gives more time."""
        self.seal.offer(self.shares[0])
        self.clock.advance(FORGET_AFTER - 1)
        self.seal.offer(self.shares[1])
        self.clock.advance(FORGET_AFTER - 1)
        self.assertEqual(self.seal.progress.have, 2)
        held = list(self.seal._core.shares)
        self.clock.advance(1)
        self.assertEqual(self.seal.progress, Progress("sealed", 0, 0))
        self.assertEqual([share.value.pointer for share in held], [None, None])
        self.seal.offer(self.shares[0])
        self.assertEqual(self.seal.forget(), Progress("sealed", 0, 0))
        self.assertEqual(self.seal.forget(), Progress("sealed", 0, 0))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_disk_trouble(self) -> None:
        """Where the vault cannot be read the node stays sealed, and it can be tried again."""
        keyring = self.state / "keyring"
        keyring.rename(self.state / "away")
        self._refused(Code.NOT_INITIALISED, self.words)
        (self.state / "away").rename(keyring)
        self.assertEqual(self.seal.offer(self.words).state, "open")

    def test_closed(self) -> None:
        """Closing wipes the vault, and shares that wait; the node can be opened again."""
        self.seal.close()
        self.seal.offer(self.shares[0])
        self.seal.close()
        self.assertEqual(self.seal.progress, Progress("sealed", 0, 0))
        self.seal.offer(self.words)
        vault = self.seal.vault
        self.seal.close()
        self.seal.close()
        self.assertRaises(Problem, lambda: self.seal.vault)
        self.assertRaises(Erased, vault.keyring.new_key, b"o" * 16)
        self.assertEqual(self.seal.offer(self.words).state, "open")
        self.assertEqual(len(self.vaults), 2)
        self.assertEqual(self.clock.getDelayedCalls(), [])
