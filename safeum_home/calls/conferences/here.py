"""Devices of this node in conferences, wherever those are ordered: what each is told, and when it is gone.

A device says every 20 s that it is in it (`call.alive`); it may be gone for a while, since its media go on
without this node. It is told what has become of the roster; who is in it of other nodes their hub has said,
and no more is believed of that than that they are members.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from safeum_home.calls.conferences.line import Line, Report
from safeum_home.calls.conferences.roster import Stamps, by_account, in_order
from safeum_home.calls.conferences.table import Mine, Table
from safeum_home.calls.conferences.telling import Telling
from safeum_home.calls.conferences.wishes import Wish
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId, DeviceId
from safeum_home.ports import Bus, Busy
from safeum_home.ports.calls import CallTimes, Group
from safeum_home.protocol.call_types import ALIVE_SECONDS, LOST_SECONDS, Ended, Media
from safeum_home.protocol.commands.conferences import Joined, Participant
from safeum_home.protocol.events import CallEnded
from safeum_home.protocol.federation.conferences import Roster, Seat, SeatsContent
from safeum_home.rounds import Rounds

MOST = 10_000
"""Conferences that devices of this node are in; beyond them `busy`."""
MOST_OF_ACCOUNT = 2
_AT_ONCE = 200


class Place(NamedTuple):
    """Where a device is, until it has said nothing for too long."""

    chat: ChatId
    account: AccountId


class Here:
    """`clock` provides IReactorTime."""

    def __init__(
        self,
        node: str,
        clock: Any,
        rounds: Rounds,
        bus: Bus,
        busy: Busy,
        times: CallTimes,
        stamps: Stamps,
        line: Callable[[str | None], Line],
    ) -> None:
        """`line` is the way to the hub of this name; None: this node."""
        self._node = node
        self._clock = clock
        self._bus = bus
        self._telling = Telling(bus)
        self._busy = busy
        self._times = times
        self._stamps = stamps
        self._line = line
        self._tables: dict[ChatId, Table] = {}
        self._chats: dict[AccountId, set[ChatId]] = {}
        self._lost = rounds.queue(LOST_SECONDS, _AT_ONCE, self._is_lost)
        self._reports = rounds.queue(ALIVE_SECONDS, _AT_ONCE, self._report_again)

    def __len__(self) -> int:
        return len(self._tables)

    def watch(self, changed: Callable[[Table], None]) -> None:
        """Have it called where others are in a conference than before."""
        self._telling.changed = changed

    @property
    def devices(self) -> int:
        """How many are in them."""
        return sum(len(table.mine) for table in self._tables.values())

    # --- what devices of this node do

    async def join(self, group: Group, asked: Seat, wish: Wish) -> tuple[Joined, bool]:
        """Ask the hub for a seat; what the device is answered, and whether it has begun the conference.

        Raises what the hub refuses it with, `node_unreachable`, `limit_reached` and `busy`; `call_over` where
        the device has hung up meanwhile.
        """
        account, device = AccountId(asked.account), DeviceId(asked.device)
        if wish.hung_up:
            raise Problem(Code.CALL_OVER)
        table = self._need(group, account, asked.call)
        table.joining += 1
        try:
            roster = await table.line.seat(asked)
            own = by_account(roster.participants).get(account)
            if own is None or (own.device, own.hello) != (device, asked.hello):
                raise Problem(Code.NODE_UNREACHABLE)  # what it says makes no sense
            self._is_now(table, roster)
            if wish.hung_up or device not in self._bus.connected(account):
                raise Problem(Code.CALL_OVER)  # there is nobody any more who could be in it
            self._take(table, group, roster, own, asked.at)
        except Problem as problem:
            # The hub may have let it in all the same.
            table.unsaid |= problem.code in (Code.NODE_UNREACHABLE, Code.CALL_OVER)
            table.call = table.call or asked.call
            raise
        finally:
            table.joining -= 1
            if not table.joining:
                self._all_answered(table)
        people = in_order(table.people().values())
        return Joined(table.call, table.media, people, roster.whole), roster.begun

    def find(self, account: AccountId, device: DeviceId, call: str) -> Table | None:
        """The conference of this id that this device is in."""
        for chat in self._chats.get(account, ()):
            table = self._tables[chat]
            if table.call == call and table.mine[account].device == device:
                return table
        return None

    def speak(self, other: AccountId, account: AccountId) -> bool:
        """Whether one, of whichever node, is in a conference with an account of this one."""
        tables = [self._tables[chat] for chat in self._chats.get(account, ())]
        return any(other in table.others or other in table.mine for table in tables)

    def engaged(self, account: AccountId) -> int:
        """`ports.calls.Engagements`."""
        return sum(account in self._tables[chat].mine for chat in self._chats.get(account, ()))

    def of(self, chat: ChatId) -> Table | None:
        """What devices of this node are in."""
        table = self._tables.get(chat)
        return table if table is not None and table.mine else None

    def alive(self, table: Table, account: AccountId) -> None:
        """It is still in it."""
        mine = table.mine[account]
        mine.alive_at = self._now()
        place = Place(table.chat, account)
        self._lost.drop(place)
        self._lost.add(place, self._clock.seconds())
        self._times.alive(account, table.call, mine.alive_at)

    def leave(self, table: Table, account: AccountId, why: Ended | None) -> None:
        """It is in it no more; `why` is what it is told, where it does not know."""
        self._leave(table, [account], why)

    # --- what becomes of them

    def told(self, group: Group, roster: Roster) -> None:
        """The hub of a group says how it is with a conference."""
        table = self._tables.get(group.chat)
        if table is not None and not table.mine:
            if table.ahead is None or table.ahead.version < roster.version:
                table.ahead = roster
            return
        if table is None or roster.call != table.call or roster.version < table.version:
            return
        if roster.over is not None:
            self._leave(table, list(table.mine), roster.over, tell_hub=False)
            return
        before, listed = table.people(), by_account(roster.participants)
        table.follow(group.members, roster)
        self._telling.change(table, before, table.people())
        if roster.whole:
            mine = table.mine.items()
            gone = [who for who, one in mine if who not in listed and one.asked <= roster.heard]
            self._leave(table, gone, Ended.LOST, tell_hub=False)

    def moved(self, group: Group) -> None:
        """Members of a group may be none any more, and others may be."""
        if (table := self.of(group.chat)) is None:
            return
        self._leave(table, [each for each in table.mine if each not in group.members], Ended.HANGUP)
        if table.mine:
            table.version = 0
            self._report(table)

    def revoked(self, account: AccountId, which: Callable[[DeviceId], bool]) -> None:
        """Devices of an account are gone for good."""
        for table in [self._tables[chat] for chat in self._chats.get(account, ())]:
            if which(table.mine[account].device):
                self.leave(table, account, None)

    def back(self, hub: str) -> None:
        """A hub may have been started anew."""
        for table in [table for table in self._tables.values() if table.hub == hub and table.mine]:
            self._report(table)

    def seats(self, report: Report) -> tuple[SeatsContent, int] | None:
        """What a hub is to be told, and when that was so; None: not now."""
        table = self._tables.get(report.chat)
        if table is None or table.call != report.call:
            return SeatsContent(report.call, Media.AUDIO, 0, []), self._stamps.next()
        if table.joining:
            table.unsaid = True  # those who have not been answered yet would count as gone
            return None
        people = [mine.participant for mine in table.mine.values()]
        return SeatsContent(table.call, table.media, table.version, people), self._stamps.next()

    # --- one table

    def _need(self, group: Group, account: AccountId, call: str) -> Table:
        table, chats = self._tables.get(group.chat), self._chats.get(account, set())
        if any(self._tables[chat].call == call for chat in chats if chat != group.chat):
            raise Problem(Code.CALL_EXISTS)
        if len(chats - {group.chat}) >= MOST_OF_ACCOUNT:
            raise Problem(Code.LIMIT_REACHED, "conferences")
        if table is None:
            if len(self._tables) >= MOST:
                raise Problem(Code.BUSY, retry_after=ALIVE_SECONDS)
            table = Table(self._node, group.chat, self._line(group.hub), group.hub or self._node)
            self._tables[group.chat] = table
        return table

    def _is_now(self, table: Table, roster: Roster) -> None:
        """Which conference it is the hub says: another one is over."""
        if table.call != roster.call:
            self._leave(table, list(table.mine), Ended.REPLACED, tell_hub=False)
            table.begin(roster)

    def _take(self, table: Table, group: Group, roster: Roster, own: Participant, asked: int) -> None:
        """A device of this node is in it now."""
        account, before = AccountId(own.account), table.people()
        hold, was = self._busy.hold(DeviceId(own.device)), table.mine.get(account)
        if was is None:
            self._times.begun(account, table.call, min(own.since, self._now()))
        else:
            was.hold.end()
            if was.device != own.device:
                self._telling.tell(account, was.device, CallEnded(table.call, Ended.ANSWERED_ELSEWHERE))
        table.mine[account] = Mine(own, asked, self._now(), hold)
        self._chats.setdefault(account, set()).add(table.chat)
        self._reports.add(table, self._clock.seconds())
        self.alive(table, account)
        table.follow(group.members, roster)
        if table.ahead is not None:
            table.follow(group.members, table.ahead)
            table.ahead = None
        self._telling.change(table, before, table.people(), but=account)

    def _all_answered(self, table: Table) -> None:
        if table.unsaid:
            table.unsaid = False
            self._report(table)
        self._tidy(table)

    def _leave(
        self,
        table: Table,
        gone: Iterable[AccountId],
        why: Ended | None,
        tell_hub: bool = True,
        lost: bool = False,
    ) -> None:
        before, leaving = table.people(), list(gone)
        for account in leaving:
            mine = table.mine.pop(account)
            mine.hold.end()
            self._lost.drop(Place(table.chat, account))
            self._chats[account].discard(table.chat)
            if not self._chats[account]:
                del self._chats[account]
            self._times.over(account, table.call, mine.alive_at if lost else self._now())
            if why is not None:
                self._telling.tell(account, mine.device, CallEnded(table.call, why))
        if leaving:
            self._telling.change(table, before, table.people())
            if tell_hub:
                self._report(table)
            self._tidy(table)

    def _tidy(self, table: Table) -> None:
        if not table.mine:
            self._reports.drop(table)
            if not table.joining and self._tables.get(table.chat) is table:
                del self._tables[table.chat]

    def _report(self, table: Table) -> None:
        table.line.report(Report(table.chat, table.call))

    def _report_again(self, table: Table) -> None:
        if table.mine:
            self._report(table)
            self._reports.add(table, self._clock.seconds())

    def _is_lost(self, place: Place) -> None:
        table = self._tables.get(place.chat)
        if table is not None and place.account in table.mine:
            self._leave(table, [place.account], Ended.LOST, lost=True)

    def _now(self) -> int:
        return int(self._clock.seconds() * 1000)
