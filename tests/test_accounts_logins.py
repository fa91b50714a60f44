"""Sign-up and login with a password: what is refused, in which order, and what is told to whom."""

from pathlib import Path
from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.accounts.passwords import PasswordHasher
from safeum_home.config import PasswordSection
from safeum_home.errors import Code, Problem
from safeum_home.ids import system_account
from safeum_home.sealing.root import generate
from safeum_home.sealing.vault import initialise, open_vault
from tests.world import CONSENT, HOST, LAPTOP, NODE, PASSWORD, Client, Refused, World
from tests.world_parts import arena, cheap_hasher


class LoginCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()

    def register(self, username: str, password: str = PASSWORD, host: str = HOST) -> Client:
        return self.world.register(username, password, host)

    def refused(self, code: str, method: str, host: str = HOST, **params: Any) -> dict[str, Any]:
        """The error that a fresh connection is refused with."""
        agreed = {"consent": CONSENT} if method == "account.register" else {}
        params = {"username": "alice", "password": PASSWORD, "device": LAPTOP} | agreed | params
        error = self.assertRaises(Refused, Client(self.world, host).call, method, **params)
        self.assertEqual(error.code, code)
        return {**error.error["data"]}


class SignUpTests(LoginCase):
    def test_opens_a_session(self) -> None:
        """A sign-up answers with everything that the client needs to come back."""
        alice = self.register("Alice")
        self.assertEqual(alice.address, f"alice@{NODE}")
        self.assertRegex(alice.account, rf"^@[a-z2-7]{{26}}:{NODE}$")
        profile = alice.call("profile.get")["profile"]
        self.assertEqual((profile["display_name"], profile["status"]), ("", ""))

    def test_taken(self) -> None:
        """A login belongs to one account, however it is written; nothing is hashed for a second one."""
        self.register("alice")
        hashed = self.world.pool.hashed
        for username in ("alice", "ALICE", "aLiCe"):
            self.refused("username_taken", "account.register", username=username)
        self.assertEqual((self.world.pool.hashed, self.world.database.count("accounts")), (hashed, 1))

    def test_names_of_the_node(self) -> None:
        """Nobody can pass as the node or its people: it writes its alerts under such a name."""
        hashed = self.world.pool.hashed
        for username in ("safeum", "SafeUM", "support", "admin"):
            self.refused("username_taken", "account.register", username=username)
        self.assertEqual(self.world.pool.hashed, hashed)

    def test_invalid(self) -> None:
        """What is no login is refused."""
        for username in ("al", "a" * 33, "al ice", "-alice", "alicé", "\u212aelvin", "alice\n", "\u0430lice"):
            self.refused("invalid_username", "account.register", username=username)

    def test_weak(self) -> None:
        """Short, common and self-named passwords are refused before anything is counted or hashed."""
        self.world = World(signups_per_address=1e-6, signups_per_address_burst=1)
        for password, why in (
            ("short", "at least 8 characters"),
            ("password", "it is among the most common ones"),
            ("PASSWORD123", "it is among the most common ones"),
            ("Alice-in-wonderland", "it is the login"),
        ):
            refused = self.refused(
                "weak_password", "account.register", username="alice-in-wonderland", password=password
            )
            self.assertEqual(refused["detail"], why)
        self.assertEqual(self.world.pool.hashed, 0)
        self.register("alice")

    def test_closed(self) -> None:
        """A node that takes no sign-ups takes none, and hashes nothing."""
        self.world = World(registration="closed")
        self.refused("registration_closed", "account.register")
        self.assertEqual(self.world.pool.hashed, 0)

    def test_limits(self) -> None:
        """Sign-ups of one address are limited; all of an IPv6 network is one address."""
        self.world = World(signups_per_address=0.1, signups_per_address_burst=2)
        self.register("alice", host="2001:db8::1")
        self.register("bob", host="2001:db8::2")
        hashed = self.world.pool.hashed
        error = self.refused("rate_limited", "account.register", username="carol", host="2001:db8::3")
        self.assertAlmostEqual(error["retry_after"], 10, 3)
        self.assertEqual(self.world.pool.hashed, hashed)
        self.register("carol", host="2001:db8:0:1::1")
        self.world.clock.advance(10.1)
        self.register("dave", host="2001:db8::3")

    def test_the_same_name_at_once(self) -> None:
        """Of two that sign up at once under one name, one gets it, and nothing is left of the other."""
        self.world.database.hold = True
        clients = [Client(self.world), Client(self.world)]
        asked = [
            client.ask(
                "account.register", username="alice", password=PASSWORD, device=LAPTOP, consent=CONSENT
            )
            for client in clients
        ]
        self.world.database.release()
        clients[0].opened(clients[0].answer(asked[0]) or {})
        self.assertEqual(self.assertRaises(Refused, clients[1].answer, asked[1]).code, "username_taken")
        counted = {
            table: self.world.database.count(table) for table in ("accounts", "devices", "chats", "keys")
        }
        self.assertEqual(counted, {"accounts": 1, "devices": 1, "chats": 1, "keys": 2})
        self.world.database.hold = False
        self.assertEqual(Client(self.world).login("alice").account, clients[0].account)

    def test_a_commit_that_fails(self) -> None:
        """Nothing was stored, so the same may be tried again."""
        self.world.database.failing = True
        self.refused("storage_unavailable", "account.register")
        self.world.database.failing = False
        self.register("alice")


class PasswordLoginTests(LoginCase):
    def test_unknown_and_wrong_look_the_same(self) -> None:
        """Neither the answer nor the work tells whether there is such a login."""
        self.register("alice")
        answers, work = [], []
        for username in ("alice", "nobody", "no such login!"):
            before = self.world.pool.hashed
            answers.append(
                self.refused("bad_credentials", "session.login", username=username, password="wrong")
            )
            work.append(self.world.pool.hashed - before)
        self.assertEqual(answers, [answers[0]] * 3)
        self.assertEqual(work, [1, 1, 1])

    def test_the_dummy_costs_the_same(self) -> None:
        """What unknown logins are compared with was made with the settings of all others."""
        section = PasswordSection(memory_mib=9, operations=3)
        hasher: Any = PasswordHasher(None, section)  # type: ignore[arg-type]  # it is not started
        self.assertIn("$m=9216,t=3,p=1$", hasher._dummy)

    def test_limits_before_hashing(self) -> None:
        """Tries at a login are limited, known or not, and cost nothing beyond that."""
        self.world = World(logins_per_account=0.1, logins_per_account_burst=2)
        self.register("alice")
        for username in ("alice", "nobody"):
            for spelling in (username, username.upper()):
                self.refused("bad_credentials", "session.login", username=spelling, password="wrong")
            hashed = self.world.pool.hashed
            error = self.refused("rate_limited", "session.login", username=username)
            self.assertAlmostEqual(error["retry_after"], 10, 3)
            self.assertEqual(self.world.pool.hashed, hashed)
        self.world.clock.advance(10.1)
        Client(self.world).login("alice")

    def test_strangers_do_not_shut_the_owner_out(self) -> None:
        """What one address tries wrongly is held against it; all together may try more."""
        self.world = World(logins_per_account=0.1, logins_per_account_burst=2, logins_per_address=1000)
        self.register("alice")
        for _ in range(2):
            self.refused("bad_credentials", "session.login", password="wrong", host="192.0.2.66")
        self.refused("rate_limited", "session.login", username="alice", host="192.0.2.66")
        Client(self.world, "192.0.2.8").login("alice")
        for number in range(37):
            self.refused("bad_credentials", "session.login", password="wrong", host=f"198.51.100.{number}")
        self.refused("rate_limited", "session.login", username="alice", host="203.0.113.1")

    def test_a_slip_is_forgiven(self) -> None:
        """The right password makes up for wrong ones from the same address."""
        self.world = World(logins_per_account=0.1, logins_per_account_burst=2)
        self.register("alice")
        for _ in range(3):
            self.refused("bad_credentials", "session.login", password="wrong")
            Client(self.world).login("alice")

    def test_limits_of_an_address(self) -> None:
        """Trying many logins from one place is limited, and from all of an IPv6 network together."""
        self.world = World(logins_per_address=0.1, logins_per_address_burst=3)
        for number in range(3):
            host = f"2001:db8::{number}"
            self.refused("bad_credentials", "session.login", username=f"user{number}", host=host)
        self.refused("rate_limited", "session.login", username="user9", host="2001:db8::9")
        self.refused("bad_credentials", "session.login", username="user9", host="192.0.2.9")

    def test_too_many_at_once(self) -> None:
        """More than threads and queue hold are told to come back, whoever they are."""
        self.world = World(password_queue=2)
        self.register("alice")
        self.world.pool.hold = True
        waiting = [Client(self.world) for _ in range(3)]
        about = {"username": "alice", "password": PASSWORD, "device": LAPTOP}
        asked = [client.ask("session.login", **about) for client in waiting]
        answers = [
            self.refused("rate_limited", "session.login", username=name) for name in ("alice", "nobody")
        ]
        self.assertEqual(answers, [answers[0]] * 2)
        self.world.pool.run()
        for client, number in zip(waiting, asked, strict=True):
            client.opened(client.answer(number) or {})
        self.world.pool.hold = False
        Client(self.world).login("alice")

    def test_every_way_of_writing_it(self) -> None:
        """A password is the same composed and decomposed."""
        self.register("alice", "caf\u00e9 au lait")
        Client(self.world).login("alice", "cafe\u0301 au lait")

    def test_alert(self) -> None:
        """Each complete login is told in the account's own chat: device, system and time, and no address."""
        alice = self.register("alice")
        self.world.clock.advance(60)
        phone = Client(self.world, "198.51.100.23").login("alice", name="phone", system="Android 15")
        for client in (alice, phone):
            alerts = [event["params"] for event in client.take("chat.message")]
            body = alerts[-1]["body"]
            self.assertEqual(alerts[-1]["sender"], system_account(NODE))
            self.assertEqual(
                (body["kind"], body["name"], body["system"]), ("login_alert", "phone", "Android 15")
            )
            self.assertEqual((body["device"], body["at"]), (phone.device, 1_700_000_060_000))
        [chat] = alice.call("chat.list")["chats"]
        self.assertEqual((chat["kind"], chat["unread"], chat["display_name"]), ("system", 2, "SafeUM"))
        told = msgspec.json.encode([c.written for c in self.world.connections])
        self.assertNotIn(b"198.51.100.23", told)
        kinds = [m["body"]["name"] for m in alice.call("chat.history", chat=chat["chat"])["messages"]]
        self.assertEqual(kinds, ["laptop", "phone"])

    def test_no_alert_without_a_login(self) -> None:
        """Wrong passwords and tokens write nothing."""
        alice = self.register("alice")
        stored = self.world.database.count("events")
        self.refused("bad_credentials", "session.login", password="wrong")
        alice.resume()
        self.assertEqual(self.world.database.count("events"), stored)

    def test_nobody_writes_to_the_system(self) -> None:
        """The system contact's chat is read only, and nobody logs in as it."""
        alice = self.register("alice")
        [chat] = alice.call("chat.list")["chats"]
        error = self.assertRaises(Refused, alice.write, chat["chat"], "hello?")
        self.assertEqual(error.code, "not_a_contact")
        self.refused("bad_credentials", "session.login", username="safeum")

    def test_the_cursor_is_before_the_alert(self) -> None:
        """A connection that breaks right after the answer has not lost the alert."""
        alice = self.register("alice")
        alice.take()
        self.assertEqual(len(alice.resume(alice.cursor).take("chat.message")), 1)
        phone = Client(self.world).login("alice")
        phone.take()
        self.assertEqual(len(phone.resume(phone.cursor).take("chat.message")), 1)

    def test_damaged_profile(self) -> None:
        """An account whose profile cannot be opened is still its owner's."""
        alice = self.register("alice")
        alice.call("profile.set", profile={"display_name": "Alice"})
        self.world.database.execute("UPDATE profiles SET sealed = x'01020304'")
        self.world = World(self.world.database, self.world.vault)
        alice = Client(self.world).login("alice")
        self.assertEqual(alice.call("profile.get")["profile"]["display_name"], "")

    def test_restart(self) -> None:
        """Accounts, tokens and messages outlive the process: all that is needed is the root secret."""
        state, root = Path(self.mktemp()), generate(arena())
        initialise(root, state)
        self.world = World(vault=open_vault(root, state))
        alice = self.register("alice")
        again = World(self.world.database, open_vault(root, state))
        alice.world = again
        alice.resume()
        self.assertEqual(len(alice.call("chat.list")["chats"]), 1)
        self.world = again
        self.assertEqual(Client(again).login("alice").account, alice.account)


class HasherTests(SynchronousTestCase):
    def test_hash_and_verify(self) -> None:
        """A hash fits its own password alone."""
        hasher, _ = cheap_hasher()
        hashed = self.successResultOf(hasher.hash("right one"))
        self.assertTrue(hashed.startswith("$argon2id$"))
        self.assertTrue(self.successResultOf(hasher.verify("right one", hashed)))
        self.assertFalse(self.successResultOf(hasher.verify("wrong one", hashed)))
        self.assertFalse(self.successResultOf(hasher.verify("", None)))

    def test_bounded(self) -> None:
        """One more than threads and queue is refused; each that ends makes room."""
        hasher, pool = cheap_hasher(queue=1)
        pool.hold = True
        waiting = [hasher.hash("a"), hasher.hash("b")]
        self.assertIs(self.assertRaises(Problem, hasher.hash, "c").code, Code.RATE_LIMITED)
        pool.run(1)
        self.assertIs(len([d for d in waiting if d.called]), 1)
        waiting.append(hasher.hash("c"))
        self.assertRaises(Problem, hasher.verify, "d", None)
        pool.run()
        self.assertTrue(all(deferred.called for deferred in waiting))
