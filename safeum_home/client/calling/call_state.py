"""What is to be seen of a call, with whomever, and who waits to see it: what the machines of calls turn.

`call_machine` has the machine of calls of two, `telephony.machine` that of calls with the telephone network.
"""

from enum import Enum
from typing import Generic, Protocol, TypeVar

from twisted.internet.defer import Deferred, succeed

from safeum_home.client.errors import local
from safeum_home.errors import Code


class CallState(Enum):
    """What is to be seen of it."""

    CALLING = "calling"
    """No device of theirs rings yet."""
    RINGING = "ringing"
    """One of theirs; or this one does."""
    CONNECTING = "connecting"
    """It was taken, and there is no sound yet; or no more, and it is tried anew."""
    ACTIVE = "active"
    ENDED = "ended"


End = TypeVar("End")
EndIn = TypeVar("EndIn", contravariant=True)


class Steps(Protocol[EndIn]):
    """What a call does, as its machine says."""

    def begin(self) -> None:
        """It was taken."""

    def changed(self, state: CallState) -> None:
        """It is in this state now."""

    def finish(self, why: EndIn, *, told: bool) -> None:
        """It is over. Unless it was `told` by the node, the node has to be told."""


class Core(Generic[End]):
    """`steps`."""

    def __init__(self, steps: Steps[End]) -> None:
        self.steps = steps
        self.state = CallState.CALLING
        self._waiting: list[tuple[tuple[CallState, ...], Deferred[CallState]]] = []

    def reached(self, *states: CallState) -> "Deferred[CallState]":
        """Fires with its state once it is in one of these, or has ended."""
        if self.state in (*states, CallState.ENDED):
            return succeed(self.state)
        reached: Deferred[CallState] = Deferred()
        self._waiting.append((states, reached))
        return reached

    # --- for the machine

    def go(self, state: CallState) -> None:
        if self.state is state:
            return
        self.state = state
        waiting, self._waiting = self._waiting, []
        for states, reached in waiting:
            if state in (*states, CallState.ENDED):
                reached.callback(state)
            else:
                self._waiting.append((states, reached))
        self.steps.changed(state)

    def begin(self) -> None:
        self.go(CallState.CONNECTING)
        if self.state is CallState.CONNECTING:  # who heard of it may have ended it
            self.steps.begin()

    def end(self, why: End, *, told: bool) -> None:
        self.steps.finish(why, told=told)
        self.go(CallState.ENDED)

    def refuse_to_take(self) -> None:
        """Raises `wrong_call_state` or `call_over`: there is nothing to take."""
        raise local(Code.CALL_OVER if self.state is CallState.ENDED else Code.WRONG_CALL_STATE)
