"""The session machine: which commands are taken, in every state that a connection can come to."""

from automat import NoTransition
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.errors import Code, Problem
from safeum_home.protocol.command import Phase
from safeum_home.protocol.commands import COMMANDS
from safeum_home.protocol.session import SessionMachine, SessionPhase, new_session

LOGIN = COMMANDS["session.login"]
SEND = COMMANDS["chat.send"]


class SessionTests(SynchronousTestCase):
    """One machine, driven through its states."""

    def setUp(self) -> None:
        self.core = SessionPhase()
        self.machine: SessionMachine = new_session(self.core)

    def _refusal(self, method: str) -> Code | None:
        try:
            self.core.permit(COMMANDS[method])
        except Problem as problem:
            return problem.code
        return None

    def _expect(self, login: Code | None, send: Code | None) -> None:
        self.assertEqual((self._refusal("session.login"), self._refusal("chat.send")), (login, send))

    def test_the_way_in(self) -> None:
        """Greeting, then nothing while authenticating, then everything but another login."""
        self._expect(None, Code.NOT_AUTHENTICATED)
        self.machine.authenticating()
        self._expect(Code.WRONG_STATE, Code.WRONG_STATE)
        self.machine.opened()
        self._expect(Code.WRONG_STATE, None)
        self.machine.closed()
        self._expect(Code.WRONG_STATE, Code.WRONG_STATE)

    def test_what_is_taken_on_both_sides_of_the_way_in(self) -> None:
        """Before and after, not while authenticating, and not when it is over."""
        taken = [self._refusal("policy.get")]
        for step in (self.machine.authenticating, self.machine.opened, self.machine.closed):
            step()
            taken.append(self._refusal("policy.get"))
        self.assertEqual(taken, [None, Code.WRONG_STATE, None, Code.WRONG_STATE])

    def test_another_try(self) -> None:
        """After a refusal the session greets again."""
        self.machine.authenticating()
        self.machine.refused()
        self._expect(None, Code.NOT_AUTHENTICATED)
        self.machine.authenticating()
        self.machine.opened()
        self._expect(Code.WRONG_STATE, None)

    def test_an_answer_after_the_end(self) -> None:
        """A login that ends when the connection has gone opens nothing."""
        self.machine.authenticating()
        self.machine.closed()
        self.machine.opened()
        self.machine.refused()
        self.machine.closed()
        self._expect(Code.WRONG_STATE, Code.WRONG_STATE)

    def test_every_command_has_its_phase(self) -> None:
        """Only the ways in are taken from strangers, and what is asked by nobody in particular."""
        greeting = {method for method, command in COMMANDS.items() if command.phase is Phase.GREETING}
        steps = {"verification.create", "verification.request", "verification.submit", "account.block"}
        steps.add("voucher.exchange")
        self.assertEqual(greeting, {"account.register", "session.login", "session.resume", *steps})

    @given(
        st.lists(st.sampled_from(["authenticating", "opened", "refused", "answered", "closed"]), max_size=12)
    )
    def test_nothing_opens_a_session_but_a_success(self, inputs: list[str]) -> None:
        """In every order of events, commands of an account are taken only between `opened` and `closed`.

        What a state does not know is refused by the machine and changes nothing.
        """
        core = SessionPhase()
        machine: SessionMachine = new_session(core)
        state = "greeting"
        after = {
            ("greeting", "authenticating"): "authenticating",
            ("authenticating", "opened"): "open",
            ("authenticating", "refused"): "greeting",
            ("authenticating", "answered"): "greeting",
            **{(before, "closed"): "over" for before in ("greeting", "authenticating", "open", "over")},
            **{("over", late): "over" for late in ("opened", "refused", "answered")},
        }
        phases = {"greeting": Phase.GREETING, "open": Phase.OPEN}
        for name in inputs:
            if (state, name) in after:
                getattr(machine, name)()
                state = after[state, name]
            else:
                self.assertRaises(NoTransition, getattr(machine, name))
            self.assertIs(core.phase, phases.get(state))
