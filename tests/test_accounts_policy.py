"""The policy: what is one, who has agreed to it, and who is asked again."""

from pathlib import Path

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.accounts.policy import LONGEST, PolicyError, parse, read, standard
from safeum_home.accounts.records import AccountRecord, ConsentRecord, unseal
from safeum_home.ids import AccountId
from safeum_home.protocol import MAX_FRAME, frames
from safeum_home.storage import accounts
from tests.world import CONSENT, LAPTOP, PASSWORD, Client, Refused, World

NEWER = parse(b"version: 2027 b\n\nIt keeps less.\n")


class ParseTests(SynchronousTestCase):
    """Files of policies."""

    def test_forms(self) -> None:
        """A version in the first line, and all else as it stands."""
        for octets, version, text in (
            (b"version: 1\ntext", "1", "text"),
            (b"version:2026-11 draft  \r\n\r\na\r\n\r\n\tb\r\n", "2026-11 draft", "a\n\n\tb"),
            ("\ufeffversion: é\n\nversion: x\n".encode(), "é", "version: x"),
        ):
            policy = parse(octets)
            self.assertEqual((policy.version, policy.text), (version, text))

    def test_refused(self) -> None:
        """What could not be shown, or agreed to, is no policy."""
        for octets, why in (
            (b"", "first line"),
            (b"text", "first line"),
            (b"\nversion: 1\ntext", "first line"),
            (b"version:\ntext", "first line"),
            (b"version: 1\n \n", "no text"),
            (b"version: 1", "no text"),
            (b"version: \x1b[2J\ntext", "cannot be shown"),
            (b"version: " + b"1" * 65 + b"\ntext", "64"),
            (b"version: 1\n\x1b[2J", "control"),
            ("version: 1\n\x9b2J".encode(), "control"),
            (b"version: 1\na\rb", "control"),
            (b"version: 1\n\xff", "UTF-8"),
            (b"version: 1\n" + b"x" * LONGEST, "octets"),
            (b"version: 1\n" + b'x"' * (LONGEST // 3 + 9), "octets"),
        ):
            self.assertIn(why, str(self.assertRaises(PolicyError, parse, octets)), octets[:40])

    def test_the_longest_fits_a_frame(self) -> None:
        """With the longest id that a request can have."""
        fixed = len(parse(b"version: 1\nx").encoded) - 1
        policy = parse(b"version: 1\n" + b"x" * (LONGEST - fixed))
        self.assertLessEqual(len(frames.encode_result("\x01" * 64, policy.encoded)), MAX_FRAME)
        self.assertRaises(PolicyError, parse, b"version: 1\n" + b"x" * (LONGEST - fixed + 1))

    def test_files(self) -> None:
        """What cannot be read is told without the name; a file is not read further than it may be long."""
        path = Path(self.mktemp())
        self.assertIn("No such file", str(self.assertRaises(PolicyError, read, str(path))))
        path.write_bytes(b"version: 3\nIt keeps nothing.")
        self.assertEqual(read(str(path)).version, "3")
        self.assertIn("octets", str(self.assertRaises(PolicyError, read, "/dev/zero")))
        self.assertEqual(read("standard"), standard())

    def test_it_tells_of_push_and_keys(self) -> None:
        """What is kept for waking devices and of public keys, and who else learns of it."""
        for each in (
            "where your devices can be woken",
            "hashes of the public keys",
            "which unnamed devices can be woken",
            "how often the public keys",
            "the public keys themselves",
            "the push service of whoever made its system",
            "ask for the public keys",
            "hashes of their public keys",
        ):
            self.assertIn(each, standard().text)

    def test_it_tells_of_other_nodes(self) -> None:
        """What people of other nodes are to see is given to these: some paragraphs say all of it."""
        text = standard().text
        told = text[text.index("accounts at other nodes") : text.index("How long it keeps messages")]
        for each in (
            "account's id",
            "login",
            "profile",
            "picture",
            "accepted",
            "write",
            "reactions",
            "pin",
            "received and read",
            "close your account",
            "30 days",
            "can read that copy",
            "files themselves",
            "online or away",
            "that you type",
            "who is in it or was",
            "disable the history",
        ):
            self.assertIn(each, told)
        self.assertIn("those who are in the chat and their nodes", standard().text)


class ConsentTests(SynchronousTestCase):
    """Accounts and versions."""

    def setUp(self) -> None:
        self.world = World()

    def put_in_place(self) -> None:
        self.world.domain.control.policy.now = NEWER

    def record(self, client: Client) -> AccountRecord:
        """What is stored of an account."""
        vault = self.world.vault
        blind = vault.blinder.account(AccountId(client.account))
        row = self.world.database.now(lambda c: accounts.account(c, blind))
        assert row is not None
        return unseal(vault.keyring.unwrap(blind, row.key), AccountRecord, row.sealed, blind)

    def test_it_is_shown_to_everybody(self) -> None:
        """Before a login and after it; while one is under way nothing else is taken."""
        client = Client(self.world)
        before = client.call("policy.get")
        self.assertEqual((before["version"], before["text"]), (CONSENT, standard().text))
        self.assertEqual(self.world.register("alice").call("policy.get"), before)
        self.world.pool.hold = True
        client.ask("session.login", username="alice", password=PASSWORD, device=LAPTOP)
        self.assertEqual(self.assertRaises(Refused, client.call, "policy.get").code, "wrong_state")

    def test_nobody_signs_up_without_consent(self) -> None:
        """To the version in force, which the refusal names; nothing is hashed or counted."""
        self.world = World(signups_per_address=1e-6, signups_per_address_burst=1)
        params = {"username": "alice", "password": PASSWORD, "device": LAPTOP}
        for consent in ({}, {"consent": None}, {"consent": "another"}, {"consent": CONSENT + " "}):
            refused = self.assertRaises(
                Refused, Client(self.world).call, "account.register", **params, **consent
            )
            self.assertEqual((refused.code, refused.error["data"]["detail"]), ("consent_needed", CONSENT))
        self.assertEqual((self.world.pool.hashed, self.world.database.count("accounts")), (0, 0))
        alice = self.world.register("alice")
        self.assertEqual(self.record(alice).consent, ConsentRecord(CONSENT, 1_700_000_000_000))

    def test_a_new_version(self) -> None:
        """Who comes back is asked, and may go on; who has agreed is not asked again."""
        alice, bob = self.world.register("alice"), self.world.register("bob")
        chat = self.world.befriend(alice, bob)
        self.put_in_place()
        alice.drop()
        alice.connect()
        opened = alice.call("session.resume", token=alice.token)
        self.assertEqual(opened["policy"], NEWER.version)
        alice.opened(opened)
        alice.write(chat, "I have not read it yet")
        self.assertEqual([message["body"]["text"] for message in bob.messages()], ["I have not read it yet"])
        for version in (CONSENT, "2028"):
            refused = self.assertRaises(Refused, alice.call, "policy.accept", version=version)
            self.assertEqual(
                (refused.code, refused.error["data"]["detail"]), ("consent_needed", NEWER.version)
            )
        self.world.clock.advance(5)
        at = int(self.world.clock.seconds() * 1000)
        alice.call("policy.accept", version=NEWER.version)
        self.assertEqual(self.record(alice).consent, ConsentRecord(NEWER.version, at))
        laptop = Client(self.world)
        login = {"username": "alice", "password": PASSWORD, "device": LAPTOP}
        self.assertIsNone(laptop.call("session.login", **login)["policy"])
        login["username"] = "bob"
        self.assertEqual(Client(self.world).call("session.login", **login)["policy"], NEWER.version)

    def test_it_is_read_from_the_database(self) -> None:
        """After a restart the node knows who has agreed to what."""
        alice = self.world.register("alice")
        again = World(self.world.database, self.world.vault)
        again.domain.control.policy.now = NEWER
        client = Client(again)
        self.assertEqual(client.call("session.resume", token=alice.token)["policy"], NEWER.version)
        client.call("policy.accept", version=NEWER.version)
        third = World(self.world.database, self.world.vault)
        third.domain.control.policy.now = NEWER
        self.assertIsNone(Client(third).call("session.resume", token=alice.token)["policy"])

    def test_a_change_while_somebody_signs_up(self) -> None:
        """Who agreed to what was shown gets in, and is asked about the rest."""
        self.world.pool.hold = True
        client = Client(self.world)
        params = {"username": "alice", "password": PASSWORD, "device": LAPTOP, "consent": CONSENT}
        asked = client.ask("account.register", **params)
        self.put_in_place()
        self.world.pool.run()
        answer = client.answer(asked)
        assert answer is not None
        self.assertEqual(answer["policy"], NEWER.version)

    def test_consent_is_kept_with_the_password(self) -> None:
        """Neither undoes what the other has changed in the record."""
        alice = self.world.register("alice")
        self.put_in_place()
        alice.call("policy.accept", version=NEWER.version)
        alice.call("account.password", current=PASSWORD, new="another password")
        self.assertEqual(getattr(self.record(alice).consent, "version", None), NEWER.version)
        self.assertNotEqual(self.record(alice).password_hash, "")
        Client(self.world).login("alice", "another password")

    def test_not_stored(self) -> None:
        """Consent that is not on the disk is none."""
        alice = self.world.register("alice")
        self.put_in_place()
        self.world.database.failing = True
        refused = self.assertRaises(Refused, alice.call, "policy.accept", version=NEWER.version)
        self.assertEqual(refused.code, "storage_unavailable")
        self.world.database.failing = False
        alice.drop()
        alice.connect()
        self.assertEqual(alice.call("session.resume", token=alice.token)["policy"], NEWER.version)

    def test_records_from_before(self) -> None:
        """An account without a consent opens, and is asked."""
        alice = self.world.register("alice")
        record = self.record(alice)
        old = msgspec.msgpack.encode(
            {name: getattr(record, name) for name in ("account", "username", "created_at", "password_hash")}
        )
        self.assertIsNone(msgspec.msgpack.decode(old, type=AccountRecord).consent)
