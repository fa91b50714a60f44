"""What devices in a conference say to each other: passed on in order, between those alone that are in it."""

from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import NamedTuple

from msgspec import Struct

from safeum_home.calls.conferences.here import Here
from safeum_home.calls.conferences.table import Table
from safeum_home.calls.queue import BESIDES, SIGNALS, Queue
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId, DeviceId
from safeum_home.limits import RateLimit
from safeum_home.ports import Bus, Caller, Published
from safeum_home.ports.calls import Group
from safeum_home.protocol import frames
from safeum_home.protocol.commands import Done
from safeum_home.protocol.commands.calls import CallSignal
from safeum_home.protocol.events import CallSignalled
from safeum_home.protocol.federation.conferences import SIGNAL, SignalContent
from safeum_home.protocol.federation.events import node_of
from safeum_home.rounds import Rounds

LIVES = 20.0
"""Seconds for which a signal, or a roster, is of use."""
EARLY_SECONDS = 5.0
"""For how long it waits what was said by a device of which the hub has not told yet that it is in it."""
MOST_EARLY = 16
"""Of one conference."""
MOST_EARLY_IN_ALL = 500
Tell = Callable[[str, str, Hashable], bool]
"""As `ports.Peers.tell_now`."""


class Said(Struct, frozen=True, eq=False):
    """Something that waits: never the same as another."""

    chat: ChatId
    sender: AccountId
    content: SignalContent


class SignalLimits(NamedTuple):
    """How often an account says something, and how many octets; and how many go to one other node."""

    times: RateLimit
    octets: RateLimit
    octets_out: RateLimit
    """What is beyond it is lost."""


class Signals:
    """The command `call.signal` of conferences, and what other nodes pass on."""

    def __init__(
        self,
        node: str,
        seconds: Callable[[], float],
        rounds: Rounds,
        bus: Bus,
        here: Here,
        say: Tell,
        limits: SignalLimits,
    ) -> None:
        self._node = node
        self._seconds = seconds
        self._bus = bus
        self._here = here

        def go_on(to: str, sender: AccountId) -> bool:
            return say(to, SIGNAL, sender)

        self.out: Queue[Said] = Queue(seconds, LIVES, SIGNALS, go_on)
        """What is to be told to other nodes."""
        self._limits = limits
        self._early: dict[ChatId, list[Said]] = {}
        self._too_early = rounds.queue(EARLY_SECONDS, 200, self._forget)

    @property
    def waiting(self) -> int:
        """How much waits for what a hub will tell."""
        return len(self._too_early)

    def signal(self, caller: Caller, params: CallSignal) -> Done:
        """Raises `call_over` where the device is not in it, and `rate_limited`.

        To a device that is not in it nothing is said.
        """
        self._limits.times.take(caller.account)
        self._limits.octets.take(caller.account, len(params.data))
        table = self._here.find(caller.account, caller.device, params.call)
        if table is None:
            raise Problem(Code.CALL_OVER)
        account, to = AccountId(params.account or ""), params.device
        other = table.people().get(account)
        if other is None or other.device != to or account == caller.account:
            return Done()
        content = SignalContent(params.call, caller.device, account, to, params.data)
        if account in table.mine:
            self._pass_on(caller.account, content)
        else:
            self._pass_out(Said(table.chat, caller.account, content))
        return Done()

    def told(self, group: Group, sender: AccountId, said: SignalContent) -> None:
        """A device of another node says something, as its node has signed."""
        table = self._here.of(group.chat)
        if table is None or table.call != said.call or sender not in group.members:
            return
        mine = table.mine.get(AccountId(said.account))
        if mine is None or mine.device != said.to:
            return
        early = self._early.get(group.chat, [])
        if _is_in(table, sender, said.device) and not any(each.sender == sender for each in early):
            self._pass_on(sender, said)
        elif len(early) < MOST_EARLY and len(self._too_early) < MOST_EARLY_IN_ALL:
            waits = Said(group.chat, sender, said)
            self._early[group.chat] = [*early, waits]
            self._too_early.add(waits, self._seconds())

    def changed(self, table: Table) -> None:
        """Others are in a conference than before: some may have said something already."""
        waiting = self._early.pop(table.chat, [])
        rest = [each for each in waiting if not _is_in(table, each.sender, each.content.device)]
        if rest:
            self._early[table.chat] = rest
        for each in waiting:
            if each not in rest:
                self._too_early.drop(each)
                mine = table.mine.get(AccountId(each.content.account))
                if table.call == each.content.call and mine is not None and mine.device == each.content.to:
                    self._pass_on(each.sender, each.content)

    def _pass_out(self, said: Said) -> None:
        node = node_of(said.content.account)
        with suppress(Problem):
            self._limits.octets_out.take(node, len(said.content.data))
            self.out.add(node, said.sender, said, BESIDES + len(said.content.data))

    def _pass_on(self, sender: AccountId, said: SignalContent) -> None:
        event = CallSignalled(said.call, sender, said.device, said.data)
        frame = frames.text_frame(frames.encode_event(event))
        self._bus.publish(AccountId(said.account), Published(frame, only=DeviceId(said.to)))

    def _forget(self, early: Said) -> None:
        waiting = [each for each in self._early.get(early.chat, []) if each is not early]
        if waiting:
            self._early[early.chat] = waiting
        else:
            self._early.pop(early.chat, None)


def _is_in(table: Table, account: AccountId, device: str) -> bool:
    other = table.others.get(account)
    return other is not None and other.device == device
