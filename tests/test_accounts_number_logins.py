"""From a proved number into an account: a new one, or with its password one that exists."""

from typing import Any

from safeum_home.ids import AccountId, direct_chat_id, system_account
from tests.number_case import NUMBER, OTHER_NUMBER, NumberCase, wrong
from tests.world import CONSENT, LAPTOP, NODE, PASSWORD, Refused, World


class NewAccountTests(NumberCase):
    def test_opens_a_session(self) -> None:
        """The number is the account's alias, and nothing else is asked."""
        alice = self.enter("+49 171 123-4567")
        self.assertEqual(alice.address, f"{NUMBER}@{NODE}")
        self.assertRegex(alice.account, rf"^@[a-z2-7]{{26}}:{NODE}$")
        self.assertEqual(alice.call("profile.get")["address"], f"{NUMBER}@{NODE}")
        self.assertEqual(alice.resume().address, f"{NUMBER}@{NODE}")

    def test_code_was_entered(self) -> None:
        """What stands before the providers hears once of each number that was proved, whatever follows."""
        verification, code = self.sent()
        self.refused_submission("wrong_code", verification, wrong(code))
        self.assertEqual(self.world.texts.entered, [])
        self.refused_submission("weak_password", verification, code, password="short")
        self.assertEqual(self.world.texts.entered, [NUMBER])
        self.client().call("verification.submit", **self.submitted(verification, code))
        self.assertEqual(self.world.texts.entered, [NUMBER])

    def test_alert(self) -> None:
        """A complete login like any other: told in the account's own chat, after the answer."""
        alice = self.enter()
        [alert] = [event["params"] for event in alice.take("chat.message")]
        self.assertEqual((alert["sender"], alert["body"]["kind"]), (system_account(NODE), "login_alert"))
        self.assertEqual(len(alice.resume(alice.cursor).take("chat.message")), 1)

    def test_weak(self) -> None:
        """A password is looked at before it is counted or hashed; the code stays good for a better one."""
        self.world = World(signups_per_address=1e-6, signups_per_address_burst=1)
        verification, code = self.sent()
        for password in ("short", "password", NUMBER, NUMBER[1:]):
            self.refused_submission("weak_password", verification, code, password=password)
        self.assertEqual(self.world.pool.hashed, 0)
        self.client().call("verification.submit", **self.submitted(verification, code))

    def test_limit_of_sign_ups(self) -> None:
        """As for those with a login, and counted together with them."""
        self.world = World(signups_per_address=0.01, signups_per_address_burst=1)
        self.world.register("alice")
        verification, code = self.sent()
        hashed = self.world.pool.hashed
        problem = self.refused_submission("rate_limited", verification, code)
        self.assertAlmostEqual(problem["retry_after"], 100, 3)
        self.assertEqual(self.world.pool.hashed, hashed)
        self.world.clock.advance(100.1)
        self.client().call("verification.submit", **self.submitted(verification, code))

    def test_a_commit_that_fails(self) -> None:
        """Nothing was stored, and the same submission does it later."""
        verification, code = self.sent()
        self.world.database.failing = True
        self.refused_submission("storage_unavailable", verification, code)
        self.world.database.failing = False
        self.client().call("verification.submit", **self.submitted(verification, code))
        self.assertEqual(self.world.database.count("accounts"), 1)

    def test_a_crash_before_the_answer(self) -> None:
        """What was committed is there: the number and the password let in, and the code is of no more use."""
        submission = self.submitted(*self.sent())
        self.world.database.hold = True
        client = self.client()
        asked = client.ask("verification.submit", **submission)
        self.world.database.commit()
        self.assertIsNone(client.answer(asked))
        client.drop()
        self.world.database.hold = False
        self.world = World(self.world.database, self.world.vault)
        self.refused("verification_over", "verification.submit", **submission)
        self.client().login(NUMBER)
        self.assertEqual(self.world.database.count("accounts"), 1)

    def test_a_crash_before_the_commit(self) -> None:
        """Nothing is there, and a new verification does it."""
        submission = self.submitted(*self.sent())
        self.world.pool.hold = True
        self.client().ask("verification.submit", **submission)
        self.world = World(self.world.database, self.world.vault)
        self.refused("verification_over", "verification.submit", **submission)
        self.enter()
        self.assertEqual(self.world.database.count("accounts"), 1)

    def test_two_verifications_at_once(self) -> None:
        """Of two that open an account on one number at once one does; the other needs its password."""
        submissions = [self.submitted(*self.sent()), self.submitted(*self.sent(), "another good password")]
        self.world.database.hold = True
        clients = [self.client(), self.client()]
        asked = [
            client.ask("verification.submit", **params)
            for client, params in zip(clients, submissions, strict=True)
        ]
        self.world.database.release()
        self.world.database.hold = False
        clients[0].opened(clients[0].answer(asked[0]) or {})
        error = self.assertRaises(Refused, clients[1].answer, asked[1])
        self.assertEqual(error.code, "bad_credentials")
        self.assertEqual(self.world.database.count("accounts"), 1)

    def test_numbers_are_no_logins(self) -> None:
        """Nobody signs up as a number, and nobody who did with a login is reached under one."""
        params = {"password": PASSWORD, "device": LAPTOP, "consent": CONSENT}
        for username in (NUMBER, NUMBER[1:], "0171-1234567"):
            self.refused("invalid_username", "account.register", username=username, **params)


class LoginTests(NumberCase):
    def setUp(self) -> None:
        super().setUp()
        self.alice = self.enter()

    def test_with_number_and_password(self) -> None:
        """As with a login: no code is needed."""
        sent = len(self.world.texts.sent)
        phone = self.client().login(NUMBER)
        self.assertEqual((phone.account, phone.address), (self.alice.account, f"{NUMBER}@{NODE}"))
        self.assertEqual(len(self.world.texts.sent), sent)
        params: dict[str, Any] = {"username": NUMBER, "password": "wrong", "device": LAPTOP}
        self.refused("bad_credentials", "session.login", **params)
        for spelling in ("+49 171 1234567", NUMBER[1:], f"{NUMBER}@{NODE}", self.alice.account):
            about = params | {"username": spelling, "password": PASSWORD}
            self.refused("bad_credentials", "session.login", **about)

    def test_with_code_and_password(self) -> None:
        """A new device of the account, announced to the others."""
        self.alice.take()
        phone = self.enter()
        self.assertEqual(phone.account, self.alice.account)
        self.assertNotEqual(phone.device, self.alice.device)
        [alert] = [event["params"] for event in self.alice.take("chat.message")]
        self.assertEqual(alert["body"]["device"], phone.device)

    def test_a_code_is_not_enough(self) -> None:
        """Whoever can read a text message has no account with that; the password can be tried again."""
        verification, code = self.sent()
        stored = self.world.database.count("events")
        self.refused_submission("bad_credentials", verification, code, password="a good guess")
        self.assertEqual(self.world.database.count("events"), stored)
        params = self.submitted(verification, code)
        client = self.client()
        self.assertEqual(
            client.opened(client.call("verification.submit", **params)).account, self.alice.account
        )

    def test_tries_are_limited_as_at_login(self) -> None:
        """And together with those: neither way gives more of them; nothing is hashed beyond."""
        self.world = World(logins_per_account=0.1, logins_per_account_burst=3)
        self.enter()
        params = {"username": NUMBER, "password": "wrong", "device": LAPTOP}
        verification, code = self.sent()
        self.refused("bad_credentials", "session.login", **params)
        for _ in range(2):
            self.refused_submission("bad_credentials", verification, code, password="wrong")
        hashed = self.world.pool.hashed
        problem = self.refused_submission("rate_limited", verification, code)
        self.assertAlmostEqual(problem["retry_after"], 10, 3)
        self.refused("rate_limited", "session.login", **params)
        self.assertEqual(self.world.pool.hashed, hashed)

    def test_a_wrong_code_touches_nothing(self) -> None:
        """With the right password too: nothing is hashed, read or counted against the login."""
        verification, code = self.sent()
        hashed = self.world.pool.hashed
        self.refused_submission("wrong_code", verification, wrong(code))
        self.assertEqual(self.world.pool.hashed, hashed)

    def test_the_password_can_be_changed(self) -> None:
        """As of any account."""
        self.alice.call("account.password", current=PASSWORD, new="another good password")
        self.refused_submission("bad_credentials", *self.sent())
        self.enter(password="another good password")

    def test_found_by_nobody(self) -> None:
        """Looking up a number tells nothing, whether somebody has it or not."""
        bob = self.world.register("bob")
        answers = []
        for number in (NUMBER, OTHER_NUMBER, "+49 171 1234567"):
            reads = self.world.database.transactions
            asked = self.assertRaises(Refused, bob.call, "contact.find", address=number)
            answers.append(asked.error["data"])
            self.assertEqual(self.world.database.transactions, reads)
        self.assertEqual(answers[:2], [answers[0]] * 2)
        self.assertEqual(
            [answer["code"] for answer in answers], ["not_found", "not_found", "invalid_username"]
        )

    def test_nobody_is_shown_a_number(self) -> None:
        """Who asks, accepts and writes goes by the account's id; the number is told to its owner alone."""
        bob, carol = self.world.register("bob"), self.world.register("carol")
        self.alice.call("contact.request", account=bob.account, address="bob")
        bob.call("contact.accept", account=self.alice.account)
        carol.call("contact.request", account=self.alice.account, address=self.alice.account)
        self.alice.call("contact.accept", account=carol.account)
        chat = direct_chat_id(AccountId(self.alice.account), AccountId(bob.account))
        self.alice.write(chat, "hi")
        self.world.settle()
        for other in (bob, carol):
            [entry] = other.call("contact.list")["contacts"]
            self.assertEqual((entry["account"], entry["address"]), (self.alice.account, self.alice.account))
            other.call("profile.get", account=self.alice.account)
            other.call("chat.list")
            self.assertNotIn(NUMBER, str(other.connection.written))
        self.assertEqual(self.alice.call("profile.get")["address"], f"{NUMBER}@{NODE}")

    def test_restart(self) -> None:
        """Numbers outlive the process."""
        self.world = World(self.world.database, self.world.vault)
        self.assertEqual(self.client().login(NUMBER).account, self.alice.account)
        self.assertEqual(self.enter().account, self.alice.account)
