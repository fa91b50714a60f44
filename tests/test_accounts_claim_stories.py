"""Claims, signs of life, guesses and time, in any order: who has a number is who the rules say."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from twisted.trial.unittest import SynchronousTestCase

from tests.number_case import DAY, NUMBER, NumberCase
from tests.world import LAPTOP, Refused

NEW = "the new holder's password"


class _Story(RuleBasedStateMachine):
    """An owner who is away now and then, and a holder of the number who does not know the password."""

    def __init__(self) -> None:
        super().__init__()
        self.case = NumberCase()
        self.case.setUp()
        self.world = self.case.world
        self.owner = self.case.enter()
        self.owner.drop()
        self.first = self.owner.account
        self.claimed: float | None = None
        self.kept: float | None = None
        self.new: str | None = None

    def sign_of_life(self) -> None:
        if self.claimed is not None and self.new is None:
            self.claimed, self.kept = None, self.world.clock.seconds()

    @rule(days=st.sampled_from([0.5, 3.0, 6.9, 7.0, 23.0, 30.0]))
    def wait(self, days: float) -> None:
        self.world.clock.advance(days * DAY)

    @rule(keep=st.booleans())
    def owner_comes_back(self, keep: bool) -> None:
        self.owner.resume()
        if keep:
            self.owner.call("number.keep")
        self.owner.drop()
        self.sign_of_life()

    @rule()
    def owner_is_there_when_it_is_claimed(self) -> None:
        """Where nothing is kept or claimed, the claim fails at once; the owner leaves afterwards."""
        self.owner.resume()
        self.sign_of_life()
        submission = self.case.submitted(*self.case.sent(), NEW, claim=True)
        if self.new is None:
            waiting = self.kept is not None and self.world.clock.seconds() - self.kept < 30 * DAY
            self.case.refused("number_kept", "verification.submit", **submission)
            if not waiting:
                self.kept = self.world.clock.seconds()
        self.owner.drop()

    @rule()
    def owner_logs_in(self) -> None:
        client = self.case.client().login(NUMBER if self.new is None else self.first)
        assert client.account == self.first
        client.drop()
        self.sign_of_life()

    @rule()
    def stranger_guesses(self) -> None:
        params = {"username": NUMBER, "password": "a guess", "device": LAPTOP}
        self.case.refused("bad_credentials", "session.login", **params)

    @rule(days=st.sampled_from([6.9, 7.0, 30.0]))
    def holder_is_patient(self, days: float) -> None:
        self.holder_submits(True)
        self.wait(days)
        self.holder_submits(True)

    @rule(claim=st.booleans())
    def holder_submits(self, claim: bool) -> None:
        submission = self.case.submitted(*self.case.sent(), NEW, claim=claim)
        client = self.case.client()
        expected = self._expected(claim)
        try:
            account = client.call("verification.submit", **submission)["account"]
        except Refused as refused:
            assert refused.code == expected, (refused.code, expected)
            if expected == "number_claimed" and self.claimed is None:
                self.claimed = self.world.clock.seconds()
        else:
            assert expected == "let in"
            assert account == (self.new or account) != self.first
            self.new = account
        client.drop()

    def _expected(self, claim: bool) -> str:
        if self.new is not None:
            return "let in"
        if not claim:
            return "bad_credentials"
        now = self.world.clock.seconds()
        if self.claimed is not None:
            return "let in" if now - self.claimed >= 7 * DAY else "number_claimed"
        return "number_kept" if self.kept is not None and now - self.kept < 30 * DAY else "number_claimed"

    @invariant()
    def nothing_is_lost(self) -> None:
        accounts = 1 if self.new is None else 2
        count = self.world.database.count
        assert (count("accounts"), count("aliases")) == (accounts, accounts)


class StoryTests(SynchronousTestCase):
    def test_every_story(self) -> None:
        """Sixty of them, some of which end with a number that has moved."""
        moved: list[bool] = []

        class Story(_Story):
            def teardown(self) -> None:
                moved.append(self.new is not None)

        run_state_machine_as_test(
            Story, settings=settings(max_examples=60, stateful_step_count=14, deadline=None)
        )
        self.assertIn(True, moved)
        self.assertIn(False, moved)
