"""A call of somebody in the telephone network: this device rings, and others of the account do."""

from safeum_home.client.calling.call_state import CallState
from safeum_home.client.errors import ClientError, NoMedia, RemoteProblem
from safeum_home.client.telephony.call import TelephoneCall
from safeum_home.client.telephony.ending import TelephoneEnd
from safeum_home.client.telephony.home import Home
from safeum_home.errors import Code
from safeum_home.protocol.command import Done
from safeum_home.protocol.commands.telephone import TelephoneAnswer, TelephoneDecline
from safeum_home.protocol.telephone_events import TelephoneAnswered, TelephoneIncoming, TelephoneProgress
from safeum_home.protocol.telephone_types import RING_SECONDS
from safeum_home.spawn import spawn

MARGIN = 15.0
"""Seconds after which the node has said that nobody answers, if it says anything."""


class IncomingTelephoneCall(TelephoneCall):
    """Until it is answered nothing of this device goes to the bridge."""

    incoming = True

    def __init__(self, home: Home, event: TelephoneIncoming) -> None:
        super().__init__(home, event.call, event.caller or None)
        self._offer = event.sdp
        self._known = True
        self._sound.expect()
        seconds = min(max(event.seconds, 0.0), RING_SECONDS) + MARGIN
        self._timer.start(seconds, lambda: self.ended(TelephoneEnd.NO_ANSWER))
        self._machine.offered()

    @property
    def rings(self) -> bool:
        """Whether it is to be answered."""
        return self.state is CallState.RINGING

    def decline(self) -> None:
        if self.state is not CallState.RINGING:
            self.hang_up()
            return
        self._home.tell(TelephoneDecline(self.id))
        self.ended(TelephoneEnd.DECLINED)

    def hang_up(self) -> None:
        if self.state is CallState.RINGING:
            self.decline()
        else:
            super().hang_up()

    def begin(self) -> None:
        self._timer.stop()
        spawn(self._answer(), "answering")

    async def _answer(self) -> None:
        try:
            sdp = await self._sound.answer(self._offer)
            if self.why is None:
                await self._home.ask(TelephoneAnswer(self.id, sdp), Done)
        except RemoteProblem as error:
            if error.of(Code.CALL_OVER, Code.NOT_FOUND):
                self._over_soon()  # another device was faster: the node says so, too
            else:
                self._machine.over(TelephoneEnd.LOST, False)
        except NoMedia:
            self._machine.over(TelephoneEnd.FAILED, False)
        except ClientError:
            self._machine.over(TelephoneEnd.LOST, False)
        else:
            self._is_taken(self._home.milliseconds())

    def _is_taken(self, since: int) -> None:
        if self.since is None and self.why is None:
            self.since = since
            self.notify()

    def progressed(self, event: TelephoneProgress) -> None:
        """It is who calls that is told so."""

    def answered(self, event: TelephoneAnswered) -> None:
        """The carrier knows that it is."""

    def finish(self, why: TelephoneEnd, *, told: bool) -> None:
        """What was not answered rings on: to hang it up would decline it on all devices."""
        super().finish(why, told=told or self.state is CallState.RINGING)
