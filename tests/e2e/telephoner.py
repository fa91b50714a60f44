"""Somebody with a SafeNUM, as a process of its own: the SDK with a tone for a voice, told what to do.

`python -m tests.e2e.telephoner LOGIN NODE CA HERTZ`, as `tests.e2e.caller`.
"""

import asyncio
import os
from pathlib import Path
from typing import Any

from aioice import ice

from safeum_home.client import aio
from safeum_home.client.calling.call_state import CallState
from safeum_home.client.errors import RemoteProblem
from safeum_home.client.telephony.call import TelephoneCall
from safeum_home.client.telephony.incoming import IncomingTelephoneCall
from safeum_home.client.telephony.outgoing import OutgoingTelephoneCall
from safeum_home.client.telephony.telephone import Telephone
from safeum_home.client.webrtc.sources import Tone
from safeum_home.client.webrtc.studio import Studio
from safeum_home.protocol.commands.voicemail import VoicemailSet
from tests.e2e.caller import PASSWORD, CallerProcess, Ear, main
from tests.webrtc_case import until

ADDRESS = "TELEPHONER_ADDRESS"
"""Of the environment: where the app is."""


class Telephoner:
    """One method for each thing that can be done."""

    def __init__(self, client: aio.Client, hertz: float) -> None:
        self._client = client
        self._ear = Ear()
        self._telephone: Telephone
        self._rang: list[IncomingTelephoneCall] = []
        self._call: TelephoneCall
        self.states: list[str] = []
        self._studio = Studio(Tone(hertz), ears=[self._ear])

    async def sign_up(self, login: str, hides: bool = False) -> str:
        """The account, whose voicemail is off; one that `hides` shows no address of its own."""
        version = (await self._client.policy()).version
        opened = await self._client.register(login, PASSWORD, consent=version)
        self._telephone = self._client.take_telephone(self._studio, relay_only=hides)
        self._telephone.on_call(self._rang.append)
        await self._client.call(VoicemailSet(enabled=False))
        return opened.account

    async def number(self) -> str:
        """One's SafeNUM, once there is one."""
        while (found := (await self._client.profile()).profile.safenum) is None:  # noqa: ASYNC110  # asked
            await asyncio.sleep(0.1)
        return found

    async def dial(self, number: str) -> str:
        """What the other side is shown; or what it was refused with."""
        self._ear.deafen()
        try:
            call: OutgoingTelephoneCall = await self._telephone.dial(number)
        except RemoteProblem as error:
            return error.code
        self._follow(call)
        return call.cli or ""

    async def rings(self) -> str | None:
        """Until somebody calls; the number."""
        await until(lambda: self._rang and self._rang[-1].state is CallState.RINGING)
        self._follow(self._rang[-1])
        return self._call.number

    async def answer(self) -> None:
        self._ear.deafen()
        self._call.answer()

    async def decline(self) -> None:
        self._call.decline()

    def _follow(self, call: TelephoneCall) -> None:
        self._call = call
        self.states[:] = [call.state.value]
        call.listen(lambda each: self.states.append(_words(each)))

    async def reached(self, state: str) -> str:
        """Until it is in that state, or has ended: the state."""
        found: CallState = await self._call.reached(CallState(state))
        return found.value

    async def early(self) -> bool:
        """Until the other side's network is heard: whether nothing is paid for yet."""
        call = self._call
        assert isinstance(call, OutgoingTelephoneCall)
        await until(lambda: call.early)
        return call.since is None

    async def hears(self, hertz: float) -> None:
        """Until this tone is heard from now on."""
        self._ear.last.clear()
        await until(lambda: self._ear.hears(hertz))

    async def press(self, keys: str) -> None:
        await self._call.press(keys)

    async def pressed(self, keys: str) -> None:
        """Until the other side has pressed these."""
        await until(lambda: self._call.keys == keys)

    async def hang_up(self) -> None:
        self._call.hang_up()

    async def ended(self) -> dict[str, Any]:
        """Once it is over: why, and what it has cost."""
        await self._call.reached(CallState.ENDED)
        call, bill = self._call, self._call.bill
        return {
            "why": None if call.why is None else call.why.value,
            "sip": call.sip,
            "seconds": 0 if bill is None else bill.seconds,
            "amount": 0 if bill is None else bill.amount,
        }

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def missed(self) -> list[str]:
        """Who has called in vain, the newest first; empty where it was withheld."""
        return [each.caller or "" for each in (await self._client.missed_calls()).calls]

    async def online(self) -> None:
        """Until there is a session again."""
        self._client.retry()
        await until(lambda: self._client._client._calls.open)

    async def paid(self) -> list[list[int]]:
        """For how many seconds, and what, of the calls on the statement: the newest first."""
        lines = (await self._client.statement()).lines
        return [[line.seconds, line.amount] for line in lines if line.kind == "call"]

    async def balance(self) -> list[int]:
        """What can be spent, and what is held."""
        found = await self._client.balance()
        return [found.balance, found.held]


def _words(call: TelephoneCall) -> str:
    """How it is with it, for whoever looks for what has failed."""
    return call.state.value if call.why is None else f"{call.state.value}: {call.why.value}, {call.sip}"


class TelephonerProcess(CallerProcess):
    """The process, for a test. It uses the address `at` alone: others of this computer come and go."""

    module = "tests.e2e.telephoner"

    def __init__(self, at: str, login: str, node: str, ca: Path, hertz: float) -> None:
        super().__init__(("env", f"{ADDRESS}={at}"), login, node, ca, hertz)


if __name__ == "__main__":
    here = os.environ[ADDRESS]
    ice.get_host_addresses = lambda use_ipv4, use_ipv6: [here]
    main(Telephoner)
