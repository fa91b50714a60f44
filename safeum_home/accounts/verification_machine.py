"""How a verification goes: which step may follow which. Sans-I/O; time comes in as an argument.

created --send--> sending --sent--> sent --send--> resending --sent--> sent
   ^                 |               ^ |               |
   +----not_sent-----+     refused---+ +--proved-->  proven       any --end--> over
                                     ^-----not_sent----+
"""

from dataclasses import dataclass
from typing import Protocol

from automat import TypeMachineBuilder

from safeum_home.errors import Code, Problem

RESEND_AFTER = (60.0, 120.0, 300.0)
"""Seconds between one code and the next; there are no more than these and the first."""
TRIES = 5


@dataclass(slots=True)
class Progress:
    """What is held of a verification. `secret` is a keyed hash of the newest code that was sent."""

    number: str
    expires: float
    secret: bytes = b""
    codes: int = 0
    tries_left: int = TRIES
    next_code: float = 0.0
    proofs: int = 0
    """How often a right code was shown: again where the first time did not let in."""

    @property
    def resend_after(self) -> float | None:
        """Seconds from the newest code to the next one; None where there is none."""
        return RESEND_AFTER[self.codes - 1] if self.codes <= len(RESEND_AFTER) else None


class VerificationMachine(Protocol):
    """What can happen to a verification. What may not happen now is refused with a `Problem`."""

    def ready(self) -> None:
        """Whether a code can be sent now, as far as the order of steps goes."""

    def send(self) -> None:
        """A code is being sent."""

    def sent(self, secret: bytes, now: float, expires: float) -> None:
        """It is on its way, and earlier ones count no more."""

    def not_sent(self) -> None:
        """It could not be sent: all is as it was before."""

    def check(self) -> None:
        """Whether a code can be compared now."""

    def wrong(self) -> None:
        """It was wrong; other tries are left."""

    def proved(self) -> None:
        """It was right. Nothing else is taken until it is known whether that lets in."""

    def refused(self) -> None:
        """It did not, because of something else: another submission may."""

    def end(self) -> None:
        """It is over: too many wrong codes, or somebody was let in."""


_builder = TypeMachineBuilder(VerificationMachine, Progress)
_created = _builder.state("created")
_sending = _builder.state("sending")
_sent = _builder.state("sent")
_resending = _builder.state("resending")
_proven = _builder.state("proven")
_over = _builder.state("over")

_created.upon(VerificationMachine.ready).loop().returns(None)
_sent.upon(VerificationMachine.ready).loop().returns(None)
_created.upon(VerificationMachine.send).to(_sending).returns(None)
_sent.upon(VerificationMachine.send).to(_resending).returns(None)
_sending.upon(VerificationMachine.not_sent).to(_created).returns(None)
_resending.upon(VerificationMachine.not_sent).to(_sent).returns(None)
_sent.upon(VerificationMachine.check).loop().returns(None)
_proven.upon(VerificationMachine.refused).to(_sent).returns(None)

for _state in (_sending, _resending):

    @_state.upon(VerificationMachine.sent).to(_sent)
    def _was_sent(
        machine: VerificationMachine, core: Progress, secret: bytes, now: float, expires: float
    ) -> None:
        core.secret, core.expires = secret, expires
        core.codes += 1
        core.next_code = now + (core.resend_after or 0.0)


@_sent.upon(VerificationMachine.proved).to(_proven)
def _proved(machine: VerificationMachine, core: Progress) -> None:
    core.proofs += 1


@_sent.upon(VerificationMachine.wrong).loop()
def _wrong(machine: VerificationMachine, core: Progress) -> None:
    core.tries_left -= 1


for _state in (_created, _sending, _sent, _resending, _proven, _over):

    @_state.upon(VerificationMachine.end).to(_over)
    def _end(machine: VerificationMachine, core: Progress) -> None:
        core.secret = b""


@_created.upon(VerificationMachine.check).loop()
def _no_code(machine: VerificationMachine, core: Progress) -> None:
    raise Problem(Code.WRONG_STATE, "no code was sent yet")


for _state in (_sending, _resending, _proven):
    for _step in (VerificationMachine.ready, VerificationMachine.check):

        @_state.upon(_step).loop()
        def _under_way(machine: VerificationMachine, core: Progress) -> None:
            raise Problem(Code.BUSY, "another step of this verification is under way", retry_after=1.0)


for _step in (VerificationMachine.ready, VerificationMachine.check):

    @_over.upon(_step).loop()
    def _too_late(machine: VerificationMachine, core: Progress) -> None:
        raise Problem(Code.VERIFICATION_OVER)


new_verification = _builder.build()
"""`new_verification(Progress(...))` is a machine in its first state."""
