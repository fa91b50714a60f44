"""The vault and its sealed secrets."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.errors import Code, Erased, Problem, Tampered
from safeum_home.ids import AccountId
from safeum_home.sealing.keys import SealedKey
from safeum_home.sealing.memory import Arena
from safeum_home.sealing.root import generate
from safeum_home.sealing.secrets import LONGEST_VALUE, MOST_SECRETS, SecretStore
from safeum_home.sealing.vault import initialise, open_vault

ARENA = Arena()


class VaultTests(SynchronousTestCase):
    """All that descends from a root secret."""

    def setUp(self) -> None:
        self.state = Path(self.mktemp())
        self.root = generate(ARENA)

    def test_the_same_after_a_restart(self) -> None:
        """Indexes, cursors, the signing seed, secrets and keys are those of the last run."""
        initialise(self.root, self.state)
        first, second = open_vault(self.root, self.state), open_vault(self.root, self.state)
        account = AccountId("@someone:here")
        self.assertEqual(first.blinder.account(account), second.blinder.account(account))
        self.assertEqual(second.cursors.decode(first.cursors.encode(7)), 7)
        self.assertEqual(bytes(first.signing_seed.view()), bytes(second.signing_seed.view()))
        _, wrapped = first.keyring.new_key(b"o" * 16)
        second.keyring.unwrap(b"o" * 16, wrapped)
        first.secrets.set("name", b"value")
        self.assertEqual(open_vault(self.root, self.state).secrets.open("name"), b"value")

    def test_directory(self) -> None:
        """The state directory is for its owner only, and is initialised once."""
        initialise(self.root, self.state)
        self.assertEqual(self.state.stat().st_mode & 0o777, 0o700)
        with self.assertRaises(Problem) as caught:
            initialise(generate(ARENA), self.state)
        self.assertIs(caught.exception.code, Code.ALREADY_INITIALISED)

    def test_in_memory(self) -> None:
        """Without a directory nothing is written."""
        vault = open_vault(self.root, None)
        vault.secrets.set("name", b"value")
        self.assertEqual(vault.secrets.open("name"), b"value")
        vault.keyring.begin_turn()
        vault.keyring.finish_turn()
        self.assertFalse(self.state.exists())

    def test_refused(self) -> None:
        """Another root, a missing keyring and damaged secrets are refused."""
        self._refused(Code.NOT_INITIALISED)
        initialise(self.root, self.state)
        right, self.root = self.root, generate(ARENA)
        self._refused(Code.WRONG_ROOT_SECRET)
        self.root = right
        (self.state / "secrets").write_bytes(b"{")
        self._refused(Code.WRONG_ROOT_SECRET)
        (self.state / "secrets").unlink()
        (self.state / "keyring.fleeting").write_bytes((self.state / "keyring").read_bytes())
        self._refused(Code.WRONG_ROOT_SECRET)

    def test_the_other_keyring(self) -> None:
        """Where it is missing the vault opens with another one, which is not stored before its first turn."""
        initialise(self.root, self.state)
        first = open_vault(self.root, self.state)
        self.assertTrue(first.fleeting.stored)
        _, wrapped = first.fleeting.new_key(b"o" * 16)
        self.assertRaises(Tampered, first.keyring.unwrap, b"o" * 16, wrapped)
        path = self.state / "keyring.fleeting"
        path.unlink()
        second = open_vault(self.root, self.state)
        self.assertRaises(Tampered, second.fleeting.unwrap, b"o" * 16, wrapped)
        self.assertEqual((second.fleeting.stored, path.exists()), (False, False))
        self.assertEqual(second.fleeting.begin_turn(beyond=7), 8)
        self.assertEqual((second.fleeting.stored, path.exists()), (True, True))
        second.fleeting.finish_turn()
        third = open_vault(self.root, self.state)
        self.assertEqual((third.fleeting.epoch, third.fleeting.oldest), (8, 8))

    def test_cut_short(self) -> None:
        """What a start of `init` that was killed has left behind is in nobody's way."""
        self.state.mkdir(mode=0o700)
        (self.state / "keyring.fleeting").write_bytes(b"of another root")
        initialise(self.root, self.state)
        self.assertTrue(open_vault(self.root, self.state).fleeting.stored)

    def _refused(self, code: Code) -> None:
        with self.assertRaises(Problem) as caught:
            open_vault(self.root, self.state)
        self.assertIs(caught.exception.code, code)

    def test_push_keys(self) -> None:
        """Each push provider has one of its own, the same at each start; another root gives others."""
        initialise(self.root, self.state)
        vault, again = open_vault(self.root, self.state), open_vault(self.root, self.state)
        key = vault.push_key("browsers")
        self.assertEqual((len(key), again.push_key("browsers")), (32, key))
        self.assertNotEqual(vault.push_key("apple"), key)
        other = open_vault(self.root.arena.slot().fill_random(), None)
        self.assertNotEqual(other.push_key("browsers"), key)

    def test_carrier_keys(self) -> None:
        """Each process towards a carrier has one of its own, the same at each start."""
        initialise(self.root, self.state)
        vault, again = open_vault(self.root, self.state), open_vault(self.root, self.state)
        key = vault.carrier_key("janus")
        self.assertEqual((len(key), again.carrier_key("janus")), (32, key))
        self.assertEqual(len({key, vault.carrier_key("edge"), vault.push_key("janus")}), 3)

    def test_wiped(self) -> None:
        """Nothing of a wiped vault works, and its keys are zero."""
        vault = open_vault(self.root, None)
        vault.secrets.set("name", b"value")
        vault.wipe()
        vault.wipe()
        self.assertRaises(Erased, vault.keyring.new_key, b"o" * 16)
        self.assertRaises(Erased, vault.fleeting.new_key, b"o" * 16)
        self.assertRaises(Erased, vault.secrets.open, "name")
        self.assertRaises(TypeError, vault.blinder.alias, "name")
        self.assertIsNone(vault.signing_seed.pointer)
        self.assertIsNone(vault.push.pointer)
        self.assertIsNone(vault.carrier.pointer)


class SecretStoreTests(SynchronousTestCase):
    """Secrets by name."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.slot = ARENA.slot().fill_random()
        self.key = SealedKey(self.slot)
        self.store = SecretStore(self.key, self.path)

    def test_kept(self) -> None:
        """A secret is there until it is deleted; the file holds its name only."""
        self.store.set("sms.token", b"first value")
        self.store.set("sms.token", b"other value")
        self.store.set("tls.key", bytes(range(256)))
        again = SecretStore(self.key, self.path)
        self.assertEqual(again.names(), ["sms.token", "tls.key"])
        self.assertEqual(again.open("sms.token"), b"other value")
        self.assertEqual(again.open("tls.key"), bytes(range(256)))
        data = self.path.read_bytes()
        self.assertIn(b"sms.token", data)
        self.assertNotIn(b"value", data)
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)
        again.delete("sms.token")
        self.assertEqual(SecretStore(self.key, self.path).names(), ["tls.key"])
        for call in (again.open, again.delete):
            self._refused(Code.NOT_FOUND, call, "sms.token")

    def test_names_are_bound(self) -> None:
        """A value that was put under another name does not open."""
        self.store.set("first", b"1")
        self.store.set("other", b"2")
        data = self.path.read_bytes()
        swapped = data.replace(b"first", b"?").replace(b"other", b"first").replace(b"?", b"other")
        self.path.write_bytes(swapped)
        self.assertRaises(Tampered, SecretStore(self.key, self.path).open, "first")

    def test_damaged(self) -> None:
        """A file that is none of ours is refused as a whole."""
        for data in (b"", b"[]", b'{"version":1}', b'{"version":1,"secrets":{"a":"!"}}', b"\xff"):
            self.path.write_bytes(data)
            self.assertRaises(Tampered, SecretStore, self.key, self.path)

    def test_bounds(self) -> None:
        """Names, sizes and numbers are bounded."""
        for name in ("", "A", "a/b", "../x", "a" * 65, "a\n", ".a"):
            self._refused(Code.INVALID_PARAMS, self.store.set, name, b"value")
        self._refused(Code.TOO_LARGE, self.store.set, "name", bytes(LONGEST_VALUE + 1))
        self.store.set("name", bytes(LONGEST_VALUE))
        store = SecretStore(self.key, None)
        for number in range(MOST_SECRETS):
            store.set(f"n{number}", b"")
        self._refused(Code.LIMIT_REACHED, store.set, "one-more", b"")
        store.set("n0", b"replaced")

    def test_disk_trouble(self) -> None:
        """Where nothing can be written nothing changes."""
        store = SecretStore(self.key, Path(self.mktemp(), "missing", "secrets"))
        self.assertRaises(OSError, store.set, "name", b"value")
        self.assertEqual(store.names(), [])

    def _refused(self, code: Code, call: object, *arguments: object) -> None:
        assert callable(call)
        with self.assertRaises(Problem) as caught:
            call(*arguments)
        self.assertIs(caught.exception.code, code)
