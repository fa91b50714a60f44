"""A number that was given to somebody else: who holds it gets it for a new account, and never the old one."""

from typing import Any

from safeum_home.accounts.claims import Claims
from safeum_home.config import NumberSection
from safeum_home.ids import system_account
from safeum_home.protocol.commands import NumberKeep
from tests.number_case import DAY, NUMBER, OTHER_NUMBER, NumberCase
from tests.world import LAPTOP, NODE, PASSWORD, Client, Refused, World

NEW = "the new holder's password"


class ClaimCase(NumberCase):
    def setUp(self) -> None:
        super().setUp()
        self.old = self.enter()
        self.bob = self.world.register("bob")
        self.chat = self.world.befriend(self.old, self.bob)
        self.old.write(self.chat, "before")

    def claim(self, expected: str = "number_claimed") -> dict[str, Any]:
        """The holder of the number asks for it; the problem that is the answer."""
        return self.refused_submission(expected, *self.sent(), password=NEW, claim=True)

    def told(self, client: Client) -> list[dict[str, Any]]:
        """The messages about the number among what came since the last time."""
        messages = [event["params"] for event in client.take("chat.message")]
        found = [message for message in messages if message["body"]["kind"] == "number_claim"]
        self.assertTrue(all(message["sender"] == system_account(NODE) for message in found))
        return [message["body"] for message in found]

    def after_a_week(self) -> Client:
        """The number of an account that gave no sign in time, moved to a new one."""
        self.old.drop()
        self.claim()
        self.world.clock.advance(7 * DAY)
        return self.enter(password=NEW, claim=True)


class ClaimTests(ClaimCase):
    def test_the_account_is_told(self) -> None:
        """In its own chat, once, with the time that it has; the claimant learns the same time."""
        cursor = self.old.cursor
        self.old.drop()
        problem = self.claim()
        self.assertAlmostEqual(problem["retry_after"], 7 * DAY, 1)
        now = int(self.world.clock.seconds() * 1000)
        until = now + 7 * 86_400_000
        expected = {"kind": "number_claim", "state": "claimed", "at": now, "until": until}
        self.world.clock.advance(3 * DAY)
        self.assertAlmostEqual(self.claim()["retry_after"], 4 * DAY, 1)
        self.assertEqual(self.told(self.old.resume(cursor)), [expected])

    def test_only_where_it_is_asked_for(self) -> None:
        """A wrong password alone claims nothing, before and after a claim has run its time."""
        self.old.drop()
        self.refused_submission("bad_credentials", *self.sent(), password=NEW)
        self.assertEqual(self.world.database.count("claims"), 0)
        self.claim()
        self.world.clock.advance(8 * DAY)
        self.refused_submission("bad_credentials", *self.sent(), password=NEW)
        self.assertEqual(self.world.database.count("accounts"), 2)

    def test_only_with_the_code(self) -> None:
        """Nobody claims a number who does not hold it."""
        verification, code = self.sent()
        wrong = "000000" if code != "000000" else "000001"
        self.refused_submission("wrong_code", verification, wrong, password=NEW, claim=True)
        self.assertEqual(self.world.database.count("claims"), 0)

    def test_nobody_to_be_asked(self) -> None:
        """A number without an account needs no claim."""
        self.enter(OTHER_NUMBER, claim=True)
        self.assertEqual(self.world.database.count("claims"), 0)

    def test_the_right_password_is_a_login(self) -> None:
        """An owner who asks to claim his own number is let in."""
        self.assertEqual(self.enter(claim=True).account, self.old.account)
        self.assertEqual(self.world.database.count("claims"), 0)

    def test_a_commit_that_fails(self) -> None:
        """Nothing was begun, and nobody told."""
        cursor = self.old.cursor
        self.old.drop()
        stored = self.world.database.count("events")
        verification, code = self.sent()
        self.world.database.failing = True
        self.refused_submission("storage_unavailable", verification, code, password=NEW, claim=True)
        self.world.database.failing = False
        count = self.world.database.count
        self.assertEqual((count("events"), count("claims")), (stored, 0))
        self.refused_submission("number_claimed", verification, code, password=NEW, claim=True)
        self.assertEqual(len(self.told(self.old.resume(cursor))), 1)

    def test_told_while_away(self) -> None:
        """Whoever was away finds the message, and has kept the number by coming."""
        cursor = self.old.cursor
        self.old.drop()
        self.claim()
        self.world.clock.advance(6 * DAY)
        self.assertEqual([body["state"] for body in self.told(self.old.resume(cursor))], ["claimed"])
        self.claim("number_kept")

    def test_nothing_in_clear(self) -> None:
        """A claim names neither number nor account nor time."""
        self.old.drop()
        self.claim()
        read = self.world.database.now
        [row] = read(lambda c: c.exec_driver_sql("SELECT alias, account, sealed FROM claims").fetchall())
        self.assertEqual([len(row[0]), len(row[1])], [16, 16])
        stored = b"".join(row)
        for octets in (NUMBER.encode(), self.old.account.encode(), (1_700_000_000_000).to_bytes(8, "big")):
            self.assertNotIn(octets, stored)


class KeepTests(ClaimCase):
    def kept(self) -> None:
        """The claim has failed, the next one has to wait, and the account is as it was."""
        self.assertAlmostEqual(self.claim("number_kept")["retry_after"], 30 * DAY, -1)
        self.world.clock.advance(29 * DAY)
        self.assertAlmostEqual(self.claim("number_kept")["retry_after"], DAY, -1)
        self.assertEqual(self.client().login(NUMBER).account, self.old.account)
        self.assertEqual(self.world.database.count("accounts"), 2)

    def test_by_saying_so(self) -> None:
        """`number.keep` needs nothing else, is on disk when it is answered, and may be said again."""
        claims: Claims = self.world.services.routes[NumberKeep].__self__  # type: ignore[attr-defined]
        owner = self.successResultOf(self.world.domain.directory.by_username(NUMBER))
        assert owner is not None
        # Coming back would do it too: so the claim begins behind the back of a device that is there.
        self.successResultOf(self.world.database.transact(lambda c: claims.begin(c, owner)))
        self.claim("number_claimed")
        self.old.call("number.keep")
        self.world = World(self.world.database, self.world.vault)
        self.old.world = self.world
        self.kept()
        self.old.resume().call("number.keep")

    def test_by_coming_back(self) -> None:
        """Any device that resumes."""
        self.old.drop()
        self.claim()
        self.old.resume()
        self.kept()

    def test_by_a_login(self) -> None:
        """With the password, and a code or none."""
        self.old.drop()
        self.claim()
        self.client().login(NUMBER)
        self.kept()

    def test_by_a_code_and_the_password(self) -> None:
        """The other way to log in."""
        self.old.drop()
        self.claim()
        self.enter()
        self.kept()

    def test_by_being_there(self) -> None:
        """Nobody who is connected is asked: the claim has failed at once, also once the device has gone."""
        self.claim("number_kept")
        self.assertEqual(self.told(self.old), [])
        self.world.clock.advance(DAY)
        self.old.drop()
        self.assertAlmostEqual(self.claim("number_kept")["retry_after"], 29 * DAY, -1)
        self.world.clock.advance(29 * DAY)
        self.claim()

    def test_not_by_trying(self) -> None:
        """A wrong password is nobody's sign of life."""
        self.old.drop()
        self.claim()
        params = {"username": NUMBER, "password": "wrong", "device": LAPTOP}
        self.refused("bad_credentials", "session.login", **params)
        self.assertAlmostEqual(self.claim()["retry_after"], 7 * DAY, 1)

    def test_coming_back_is_not_believed_before_it_is_stored(self) -> None:
        """Where the end of the claim cannot be stored, the device is told to come again."""
        self.old.drop()
        self.claim()
        self.world.database.failing = True
        self.assertEqual(self.assertRaises(Refused, self.old.resume).code, "storage_unavailable")
        self.world.database.failing = False
        self.claim()

    def test_a_new_claim_later(self) -> None:
        """After the pause it begins anew, with a new message and the whole time."""
        self.old.drop()
        self.claim()
        self.old.resume().drop()
        self.world.clock.advance(30 * DAY)
        self.assertAlmostEqual(self.claim()["retry_after"], 7 * DAY, 1)

    def test_without_a_claim(self) -> None:
        """There is nothing to be ended: neither now nor for later, and neither for those with a login."""
        self.old.call("number.keep")
        self.bob.call("number.keep")
        self.assertEqual(self.world.database.count("claims"), 0)
        self.old.drop()
        self.claim()

    def test_no_stranger_keeps_it(self) -> None:
        """Somebody else's word does nothing to a claim."""
        self.old.drop()
        self.claim()
        self.bob.call("number.keep")
        self.claim()

    def test_configured(self) -> None:
        """Both times are the operator's."""
        self.world = World(numbers=NumberSection(claim_seconds=10.0, claim_again_seconds=20.0))
        self.old = self.enter()
        self.old.drop()
        self.assertAlmostEqual(self.claim()["retry_after"], 10, 3)
        self.old.resume().call("number.keep")
        self.assertAlmostEqual(self.claim("number_kept")["retry_after"], 20, 3)


class MoveTests(ClaimCase):
    def test_a_new_account(self) -> None:
        """The number names a new account, which has nothing of the old one."""
        new = self.after_a_week()
        self.assertNotEqual(new.account, self.old.account)
        self.assertEqual(new.address, f"{NUMBER}@{NODE}")
        self.assertEqual(new.call("contact.list")["contacts"], [])
        [chat] = new.call("chat.list")["chats"]
        self.assertEqual(chat["kind"], "system")
        self.assertEqual(self.client().login(NUMBER, NEW).account, new.account)
        self.assertEqual(self.world.database.count("claims"), 0)

    def test_the_old_account_lives_on(self) -> None:
        """Under its own id, with its password, devices, contacts and messages; it is told."""
        new = self.after_a_week()
        params = {"username": NUMBER, "password": PASSWORD, "device": LAPTOP}
        self.refused("bad_credentials", "session.login", **params)
        again = self.client().login(self.old.account)
        self.assertEqual((again.account, again.address), (self.old.account, self.old.account))
        self.assertEqual(again.history(self.chat), ["before"])
        self.old.resume(self.old.cursor)
        self.assertEqual([body["state"] for body in self.told(self.old)], ["claimed", "moved"])
        self.assertEqual(self.old.address, self.old.account)
        self.assertEqual(self.old.call("profile.get")["address"], self.old.account)
        self.bob.take()
        self.old.write(self.chat, "still me")
        self.assertEqual([m["body"]["text"] for m in self.bob.messages()], ["still me"])
        [summary] = [one for one in self.bob.call("chat.list")["chats"] if one["kind"] == "direct"]
        self.assertEqual((summary["peer"], summary["address"]), (self.old.account, self.old.account))
        self.assertEqual(self.assertRaises(Refused, new.write, self.chat, "me?").code, "not_a_contact")

    def test_the_old_account_can_be_asked_by_its_id(self) -> None:
        """Its id is its address now."""
        self.after_a_week()
        carol = self.world.register("carol")
        found = carol.call("contact.find", address=self.old.account)
        self.assertEqual(found, {"account": self.old.account, "address": self.old.account})
        carol.call("contact.request", **found)
        old = self.old.resume()
        old.call("contact.accept", account=carol.account)
        entries = {entry["account"]: entry for entry in carol.call("contact.list")["contacts"]}
        self.assertEqual(entries[self.old.account]["state"], "accepted")
        error = self.assertRaises(Refused, carol.call, "contact.find", address=self.bob.account)
        self.assertEqual(error.code, "not_found")

    def test_nobody_is_found_under_a_number_that_has_gone(self) -> None:
        """The set of those who can be found by number loses the old account, and it alone."""
        changes: list[tuple[Any, ...]] = []

        async def changed(*change: Any) -> None:
            changes.append(change)

        self.patch(self.world.domain.findable, "changed", changed)
        self.after_a_week()
        self.assertEqual(changes, [(self.old.account, NUMBER, False)])

    def test_after_a_restart(self) -> None:
        """All of it was in the commit."""
        new = self.after_a_week()
        self.world = World(self.world.database, self.world.vault)
        self.assertEqual(self.client().login(NUMBER, NEW).account, new.account)
        self.assertEqual(self.client().login(self.old.account).account, self.old.account)

    def test_a_crash_before_the_answer(self) -> None:
        """The number has moved, the whole of it: its new owner logs in with the password that was given."""
        self.old.drop()
        self.claim()
        self.world.clock.advance(7 * DAY)
        submission = self.submitted(*self.sent(), NEW, claim=True)
        self.world.database.hold = True
        client = self.client()
        client.ask("verification.submit", **submission)
        self.world.database.commit()
        client.drop()
        self.world.database.hold = False
        self.world = World(self.world.database, self.world.vault)
        self.assertNotEqual(self.client().login(NUMBER, NEW).account, self.old.account)
        self.assertEqual(self.client().login(self.old.account).account, self.old.account)

    def test_all_or_nothing(self) -> None:
        """Where the commit fails, the claim is as good as before."""
        self.old.drop()
        self.claim()
        self.world.clock.advance(7 * DAY)
        verification, code = self.sent()
        self.world.database.failing = True
        self.refused_submission("storage_unavailable", verification, code, password=NEW, claim=True)
        self.world.database.failing = False
        self.assertEqual(self.world.database.count("accounts"), 2)
        params = self.submitted(verification, code, NEW, claim=True)
        new = self.client().opened(self.client().call("verification.submit", **params))
        self.assertEqual(new.address, f"{NUMBER}@{NODE}")

    def test_not_a_second_early(self) -> None:
        """And not while the password is one that a sign-up would not take."""
        self.old.drop()
        self.claim()
        self.world.clock.advance(7 * DAY - 1)
        self.assertAlmostEqual(self.claim()["retry_after"], 1, 1)
        self.world.clock.advance(1)
        self.refused_submission("weak_password", *self.sent(), password="short", claim=True)
        self.enter(password=NEW, claim=True)

    def test_the_owner_comes_back_at_that_moment(self) -> None:
        """Of a move and a login of the owner that wait for the same commit, the first one counts."""
        self.old.drop()
        self.claim()
        self.world.clock.advance(7 * DAY)
        submission = self.submitted(*self.sent(), NEW, claim=True)
        owner, claimant = self.client(), self.client()
        self.world.database.hold = True
        login = owner.ask("session.login", username=NUMBER, password=PASSWORD, device=LAPTOP)
        move = claimant.ask("verification.submit", **submission)
        self.world.database.release()
        self.world.database.hold = False
        self.assertEqual(owner.opened(owner.answer(login) or {}).account, self.old.account)
        self.assertEqual(self.assertRaises(Refused, claimant.answer, move).code, "number_kept")
        self.assertEqual(self.world.database.count("accounts"), 2)

    def test_two_claimants_at_that_moment(self) -> None:
        """One gets the number, and the other is asked for the password of who has it now."""
        self.old.drop()
        self.claim()
        self.world.clock.advance(7 * DAY)
        submissions = [self.submitted(*self.sent(), password, claim=True) for password in (NEW, NEW + "2")]
        clients = [self.client(), self.client()]
        self.world.database.hold = True
        asked = [c.ask("verification.submit", **p) for c, p in zip(clients, submissions, strict=True)]
        self.world.database.release()
        self.world.database.hold = False
        new = clients[0].opened(clients[0].answer(asked[0]) or {})
        self.assertEqual(self.assertRaises(Refused, clients[1].answer, asked[1]).code, "busy")
        self.assertEqual(self.world.database.count("accounts"), 3)
        submissions[1] |= {"claim": False}
        self.refused("bad_credentials", "verification.submit", **submissions[1])
        self.assertEqual(self.client().login(NUMBER, NEW).account, new.account)

    def test_and_on_to_the_next(self) -> None:
        """A number goes round: each of its accounts lives on under its own id."""
        second = self.after_a_week()
        second.drop()
        self.refused_submission("number_claimed", *self.sent(), password="third good one", claim=True)
        self.world.clock.advance(7 * DAY)
        third = self.enter(password="third good one", claim=True)
        accounts = [self.old, second, third]
        self.assertEqual(len({client.account for client in accounts}), 3)
        self.assertEqual(self.client().login(second.account, NEW).account, second.account)
        self.assertEqual(self.client().login(self.old.account).account, self.old.account)
        aliases, count = self.world.database.count("aliases"), self.world.database.count("accounts")
        self.assertEqual((aliases, count), (4, 4))
