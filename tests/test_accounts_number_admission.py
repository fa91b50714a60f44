"""Accounts by number need what all accounts need: consent to the policy and, on some nodes, an invite."""

from typing import Any

from twisted.internet.defer import Deferred

from safeum_home.accounts.policy import parse
from safeum_home.accounts.registration import Mode
from safeum_home.errors import Problem
from tests.number_case import NUMBER, NumberCase
from tests.world import CONSENT, PASSWORD, World


class AdmissionTests(NumberCase):
    """`verification.submit` for a new account."""

    def create_invite(self) -> str:
        return self.successResultOf(self.world.domain.control.invites.create(1, 7, ""))[0]

    def test_consent(self) -> None:
        """Without it nothing is made; the code is still good for another try."""
        verification, code = self.sent()
        for consent in (None, "another"):
            refused = self.refused_submission("consent_needed", verification, code, consent=consent)
            self.assertEqual(refused["detail"], CONSENT)
        self.assertEqual(self.world.database.count("accounts"), 0)
        client = self.client()
        opened = client.call("verification.submit", **self.submitted(verification, code))
        self.assertIsNone(opened["policy"])

    def test_an_account_that_exists(self) -> None:
        """Who logs in is not asked for an invite, and about a new policy afterwards."""
        self.enter()
        self.successResultOf(self.world.domain.control.registration.set(Mode.CLOSED))
        self.world.domain.control.policy.now = parse(b"version: 9\ntext")
        self.successResultOf(self.world.domain.control.registration.set(Mode.INVITE))
        verification, code = self.sent()
        client = self.client()
        opened = client.call("verification.submit", **self.submitted(verification, code, consent=None))
        self.assertEqual(opened["policy"], "9")

    def test_invites(self) -> None:
        """One is used up with the account, and none by a refusal."""
        self.world = World(registration="invite")
        invite = self.create_invite()
        verification, code = self.sent()
        self.refused_submission("invite_needed", verification, code)
        self.refused_submission("invite_needed", verification, code, invite="a" * 26)
        self.refused_submission("weak_password", verification, code, invite=invite, password="short")
        self.client().call("verification.submit", **self.submitted(verification, code, invite=invite))
        verification, code = self.sent("+491711234568")
        self.refused_submission("invite_needed", verification, code, invite=invite)

    def test_a_claim_that_is_made_good(self) -> None:
        """The new account of somebody who has claimed a number needs both, too."""
        old = self.enter()
        old.drop()
        verification, code = self.sent()
        claim: dict[str, Any] = {"claim": True, "password": PASSWORD + " of another"}
        self.refused_submission("number_claimed", verification, code, **claim)
        self.world.settle(7 * 86400)
        self.successResultOf(self.world.domain.control.registration.set(Mode.INVITE))
        verification, code = self.sent()
        self.refused_submission("consent_needed", verification, code, **claim, consent=None)
        self.refused_submission("invite_needed", verification, code, **claim)
        invite = self.create_invite()
        new = self.client()
        params = self.submitted(verification, code, invite=invite, **claim)
        self.assertNotEqual(new.call("verification.submit", **params)["account"], old.account)
        self.assertEqual(new.call("policy.get")["version"], CONSENT)

    def test_the_operator_finds_numbers(self) -> None:
        """An account is shown by its number and by its id."""
        client = self.enter()
        accounts = self.world.domain.control.accounts
        for alias in (NUMBER, client.account, f" {client.account.upper()}"):
            found = self.successResultOf(Deferred.fromCoroutine(accounts.show(alias)))
            self.assertEqual((found.account, found.devices, found.connected), (client.account, 1, 1))
        for nobody in ("+491711234568", "@" + "a" * 26 + ":home.example", "alice", "", "@"):
            self.failureResultOf(Deferred.fromCoroutine(accounts.show(nobody)), Problem)

    def test_closed(self) -> None:
        """Told before a text message is paid for; at run time, too."""
        self.successResultOf(self.world.domain.control.registration.set(Mode.CLOSED))
        self.refused("registration_closed", "verification.create", number=NUMBER)
        self.assertEqual(self.world.texts.sent, [])
