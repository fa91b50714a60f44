"""Who may sign up: modes of registration, and invites."""

from base64 import b32encode
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.accounts.invites import MOST, Invite
from safeum_home.accounts.registration import Mode, Registration
from safeum_home.errors import Code, Problem
from safeum_home.protocol.invites import code_in, link, new_code
from safeum_home.storage import invites, node
from tests.world import CONSENT, LAPTOP, NODE, PASSWORD, Client, Refused, World

DAY = 86400


class LinkTests(SynchronousTestCase):
    """Codes and the links that carry them."""

    @given(st.binary(min_size=16, max_size=16))
    def test_there_and_back(self, octets: bytes) -> None:
        """A code is found in its link, however it was copied."""
        code = new_code(lambda count: octets[:count])
        self.assertEqual(b32encode(octets).decode().rstrip("=").lower(), code)
        for text in (code, link(NODE, code), f"  {link('localhost:8443', code)}\n", link(NODE, code).upper()):
            self.assertEqual(code_in(text), code)

    @given(st.text())
    def test_anything(self, text: str) -> None:
        """Whatever was typed, what is sent is short enough to be looked up."""
        self.assertLessEqual(len(code_in(text)), 64)


class InviteCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World(registration="invite")
        self.invites = self.world.domain.control.invites

    def create(self, uses: int = 1, days: int = 7, label: str = "") -> str:
        return self.successResultOf(self.invites.create(uses, days, label))[0]

    def ask(self, username: str, invite: str | None) -> tuple[Client, int]:
        client = Client(self.world)
        about: dict[str, Any] = {"device": LAPTOP, "consent": CONSENT, "invite": invite}
        return client, client.ask("account.register", username=username, password=PASSWORD, **about)

    def sign_up(self, username: str, invite: str | None = None) -> dict[str, Any]:
        client, asked = self.ask(username, invite)
        answer = client.answer(asked)
        assert answer is not None
        return answer

    def refused(self, username: str, invite: str | None, code: str = "invite_needed") -> dict[str, Any]:
        error = self.assertRaises(Refused, self.sign_up, username, invite)
        self.assertEqual(error.code, code)
        return dict(error.error)

    def listed(self) -> list[Invite]:
        return self.successResultOf(self.invites.list())


class InviteTests(InviteCase):
    """A node that asks for invites."""

    def test_uses(self) -> None:
        """An invite is good for as many accounts as it was made for."""
        code = self.create(uses=2)
        for name in ("alice", "bob"):
            self.sign_up(name, code)
        self.refused("carol", code)
        self.assertEqual([(invite.left, invite.uses) for invite in self.listed()], [(0, 2)])

    def test_all_that_is_wrong_looks_the_same(self) -> None:
        """None, unknown, used up, ended or revoked: one answer, and nothing is hashed for it."""
        used, ended, revoked = self.create(), self.create(days=1), self.create()
        self.sign_up("alice", used)
        ids = {invite.id for invite in self.listed()}
        self.world.clock.advance(DAY)
        self.successResultOf(self.invites.revoke(self._id_of(revoked)))
        self.assertEqual(len(ids), 3)
        hashed = self.world.pool.hashed
        answers = [
            self.refused("bob", code) for code in (None, "x", "a" * 26, "é" * 64, used, ended, revoked)
        ]
        self.assertEqual(answers, [answers[0]] * len(answers))
        self.assertEqual(self.world.pool.hashed, hashed)
        self.assertEqual(self.refused("bob", "a" * 65, "invalid_params")["data"]["code"], "invalid_params")

    def _id_of(self, code: str) -> str:
        return self.world.vault.blinder.invite(code)[:8].hex()

    def test_until_the_last_moment(self) -> None:
        """It ends when it was said to end."""
        code = self.create(uses=2, days=1)
        self.world.clock.advance(DAY - 1)
        self.sign_up("alice", code)
        self.world.clock.advance(1)
        self.refused("bob", code)

    def test_two_for_the_last_use(self) -> None:
        """Both were told that it is good; the commit decides, and nothing is left of the other."""
        code = self.create()
        self.world.pool.hold = True
        (alice, first), (bob, second) = self.ask("alice", code), self.ask("bob", code)
        self.world.database.hold = True
        self.world.pool.run()
        self.world.database.release()
        alice.opened(alice.answer(first) or {})
        self.assertEqual(self.assertRaises(Refused, bob.answer, second).code, "invite_needed")
        counts = [
            self.world.database.count(table) for table in ("accounts", "aliases", "devices", "profiles")
        ]
        self.assertEqual(counts, [1, 1, 1, 0])
        self.assertEqual(self.world.database.count("keys"), 3)  # alice, her system chat, the invite

    def test_a_sign_up_that_fails_uses_nothing(self) -> None:
        """Be it for a name that is taken, at the start or in the commit, or for the disk."""
        self.sign_up("alice", self.create())
        code = self.create()
        self.refused("alice", code, "username_taken")
        self.world.pool.hold = True
        (_, first), (late, second) = self.ask("bob", self.create()), self.ask("bob", code)
        self.world.pool.run()
        self.assertEqual(self.assertRaises(Refused, late.answer, second).code, "username_taken")
        self.world.pool.hold = False
        self.world.database.failing = True
        self.refused("carol", code, "storage_unavailable")
        self.world.database.failing = False
        self.sign_up("carol", code)
        self.assertNotEqual(first, 0)

    def test_guessing_is_limited(self) -> None:
        """For each address, together with all its sign-ups."""
        self.world = World(registration="invite", signups_per_address=1e-6, signups_per_address_burst=3)
        self.invites = self.world.domain.control.invites
        for _ in range(3):
            self.refused("alice", "a" * 26)
        self.refused("alice", self.create(), "rate_limited")

    def test_an_open_node_uses_up_none(self) -> None:
        """Where everybody may sign up an invite is not looked at."""
        code = self.create()
        self.successResultOf(self.world.domain.control.registration.set(Mode.OPEN))
        self.sign_up("alice", code)
        self.sign_up("bob", "no invite at all")
        self.assertEqual([invite.left for invite in self.listed()], [1])

    def test_what_is_stored(self) -> None:
        """Neither code nor label: a keyed hash, and octets that only the node's keys open."""
        code = self.create(label="for the neighbours")
        [row] = self.world.database.now(invites.every)
        held = b"".join(bytes(value) for value in (row.invite, row.sealed, row.key.wrapped))
        for secret in (code, "for the neighbours"):
            self.assertNotIn(secret.encode(), held)
        self.assertEqual(row.invite, self.world.vault.blinder.invite(code))
        [invite] = self.listed()
        self.assertEqual((invite.label, invite.left, invite.uses), ("for the neighbours", 1, 1))
        self.assertEqual(invite.ends - invite.created_at, 7 * DAY * 1000)

    def test_revoked(self) -> None:
        """What is revoked is gone with its key; what is not there cannot be revoked."""
        code = self.create(uses=9)
        [invite] = self.listed()
        self.successResultOf(self.invites.revoke(invite.id))
        self.assertEqual((self.listed(), self.world.database.count("keys")), ([], 0))
        self.refused("alice", code)
        for id in (invite.id, "", code):
            problem = self.failureResultOf(self.invites.revoke(id), Problem).value
            self.assertIs(problem.code, Code.NOT_FOUND)

    def test_a_damaged_one_can_be_revoked(self) -> None:
        """It is left out of the list, and does not keep the others out of it."""
        self.create(label="damaged")
        [damaged] = self.listed()
        self.world.database.execute("UPDATE invites SET sealed = x'00'")
        self.create(label="whole")
        self.assertEqual([invite.label for invite in self.listed()], ["whole"])
        self.flushLoggedErrors()
        self.successResultOf(self.invites.revoke(damaged.id))
        self.assertEqual(self.world.database.count("invites"), 1)

    def test_bounded(self) -> None:
        """There are so many and no more; those that have ended make room."""
        for _ in range(MOST):
            self.create(days=1)
        problem = self.failureResultOf(self.invites.create(1, 1, ""), Problem).value
        self.assertIs(problem.code, Code.LIMIT_REACHED)
        self.world.clock.advance(DAY)
        self.create()
        self.assertEqual([self.world.database.count(table) for table in ("invites", "keys")], [1, 1])


class RegistrationTests(InviteCase):
    """The mode, in the configuration and at run time."""

    def set(self, mode: Mode | None) -> "Deferred[None]":
        return self.world.domain.control.registration.set(mode)

    def test_at_run_time(self) -> None:
        """Each mode counts from the next sign-up on."""
        self.refused("alice", None)
        self.successResultOf(self.set(Mode.OPEN))
        self.sign_up("alice")
        self.successResultOf(self.set(Mode.CLOSED))
        self.refused("bob", self.create(), "registration_closed")
        self.successResultOf(self.set(None))
        self.refused("bob", None)

    def test_what_was_set_wins_and_stays(self) -> None:
        """Over the configuration, after a restart, until it is unset."""
        self.successResultOf(self.set(Mode.CLOSED))
        self.assertIs(self._restarted(Mode.OPEN).mode, Mode.CLOSED)
        self.successResultOf(self.set(None))
        self.assertIs(self._restarted(Mode.OPEN).mode, Mode.OPEN)

    def _restarted(self, configured: Mode) -> Registration:
        registration = Registration(self.world.database, configured)
        self.successResultOf(Deferred.fromCoroutine(registration.load()))
        return registration

    def test_not_stored(self) -> None:
        """What is not on the disk is not in force."""
        self.world.database.failing = True
        self.failureResultOf(self.set(Mode.OPEN), Problem)
        self.world.database.failing = False
        self.refused("alice", None)

    def test_unknown(self) -> None:
        """What a newer version may have stored lets nobody in by mistake."""
        self.world.database.transact(lambda c: node.set_registration(c, 9))
        self.assertIs(self._restarted(Mode.OPEN).mode, Mode.CLOSED)
