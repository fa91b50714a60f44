"""A call that this program has begun."""

from safeum_home.client.telephony.call import GRACE, TelephoneCall
from safeum_home.client.telephony.ending import TelephoneEnd
from safeum_home.client.telephony.home import Home
from safeum_home.protocol.commands.telephone import TelephoneDial, TelephoneDialled
from safeum_home.protocol.telephone_events import TelephoneAnswered, TelephoneProgress


class OutgoingTelephoneCall(TelephoneCall):
    """The other side may be heard before it answers: `early`."""

    incoming = False

    def __init__(self, home: Home, call: str, number: str) -> None:
        super().__init__(home, call, number)
        self._number = number
        self.cli: str | None = None
        """The number that the other side is shown: one's own."""

    @property
    def early(self) -> bool:
        """Whether the other side's network is heard already, before it is answered."""
        return self.since is None and self._sound.described

    async def invitation(self) -> TelephoneDial:
        """What is asked of the node; raises `NoMedia`."""
        return TelephoneDial(self.id, self._number, await self._sound.offer())

    def dialled(self, answer: TelephoneDialled) -> None:
        """The node has taken it."""
        self.cli, self._known = answer.cli, True
        if self.paid is None:
            self.paid = answer.seconds

    def progressed(self, event: TelephoneProgress) -> None:
        self._sound.answered(event.sdp)
        self._machine.rings()

    def answered(self, event: TelephoneAnswered) -> None:
        self._sound.answered(event.sdp)
        self._answered(self._home.milliseconds())

    def _is_taken(self, since: int) -> None:
        self._answered(since)
        if not self._sound.described:  # the node says it again
            self._timer.start(GRACE, self._undescribed)

    def _undescribed(self) -> None:
        if not self._sound.described:
            self._machine.over(TelephoneEnd.FAILED, False)

    def _answered(self, since: int) -> None:
        if self.since is None and self.why is None:
            self.since = since
            self._machine.taken()
            self.notify()

    def begin(self) -> None:
        """It is the other side that takes it."""
