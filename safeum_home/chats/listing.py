"""Lists of chats: read, opened and put together in one snapshot, off the reactor's thread.

Whatever many chats need is asked for once for all of them; only what a chat alone knows (how much of it
is unread) is asked for one by one.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from safeum_home import ids
from safeum_home.chats.changes.reacted import with_own
from safeum_home.chats.contents import ChatContents, ChatKind
from safeum_home.chats.infos import ChatInfos
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.own_settings import settings_of
from safeum_home.chats.sealed import decode, open_about, open_encoded
from safeum_home.damage import undamaged
from safeum_home.ids import AccountId, ChatId, Cursor
from safeum_home.ports import Blinder, Cursors, Directory, Known, Owners, Receipts
from safeum_home.protocol import frames
from safeum_home.protocol.commands import ChatList, Named
from safeum_home.protocol.federation.events import node_of
from safeum_home.protocol.message_types import ChatSettings
from safeum_home.protocol.news import is_news, is_own
from safeum_home.protocol.types import ChatSummary, Message
from safeum_home.storage import chat_list, chats, contacts, events, roster
from safeum_home.storage.rows import ListedChat

UNREAD_LIMIT = 100
_LEAST = 256
"""Octets of a summary besides its message, at the least: what cannot fit is not looked at."""
_FEW = 5
"""Of groups with no more members than this all are named."""


class _Opened(NamedTuple):
    """A chat in the list; `last` is None where there is no message, or it is damaged."""

    row: ListedChat
    chat: ChatContents
    last: Message | None
    size: int


class Listed(NamedTuple):
    """A part of the list. `held` are places up to which the device that gets it will hold a chat."""

    list: ChatList
    held: Sequence[tuple[ChatId, int]]


class ChatListing:
    """Reads lists of chats."""

    def __init__(
        self,
        blinder: Blinder,
        cursors: Cursors,
        infos: ChatInfos,
        opener: ChatOpener,
        directory: Directory,
        system: AccountId,
        owners: Owners,
    ) -> None:
        self._blinder = blinder
        self._cursors = cursors
        self._infos = infos
        self._opener = opener
        self._directory = directory
        self._system = system
        self._owners = owners

    def read(self, c: Connection, account: AccountId, before: int | None, limit: int, budget: int) -> Listed:
        """At most `limit` chats of `account`, newest first, in `budget` octets: one of them in any case.

        `before` is the place in the list of the last one of the part before.
        """
        blind = self._blinder.account(account)
        rows = chat_list.chats_of(c, blind, before, limit + 1, ChatKind.GROUP)
        page = undamaged(rows[:limit], lambda row: self._open(c, account, row), "chats")
        shown = page[: max(1, within([chat.size for chat in page], budget))]
        summaries, names = self._summaries(c, account, shown, self._settings(c, account, shown))
        fitting = max(1, within(_sizes(summaries, names), budget))
        shown, summaries, names = shown[:fitting], summaries[:fitting], names[:fitting]
        last = rows[limit - 1].place if len(rows) > limit else None
        if len(shown) < len(page):
            last = shown[-1].row.place
        named = {person.account: person for each in names for person in each}
        held = [
            (each.chat.id, each.row.newest.position)
            for each in shown
            if each.row.newest is not None
            and each.row.mine.delivered < each.row.newest.position
            and (each.last is None or each.last.sender != account)
        ]
        following = None if last is None else self._cursors.encode(last)
        return Listed(ChatList(summaries, following, list(named.values())), held)

    def _open(self, c: Connection, account: AccountId, row: ListedChat) -> _Opened:
        chat = self._opener.contents(c, row.chat, account)
        newest = [] if row.newest is None else [row.newest]
        opened = undamaged(newest, lambda row: (row, open_encoded(c, chat, row)), "messages")
        encoded = with_own(c, chat, row.mine.account, opened)
        size = sum(map(len, encoded)) + _LEAST
        return _Opened(row, chat, decode(encoded[0]) if encoded else None, size)

    def _settings(
        self, c: Connection, account: AccountId, page: Sequence[_Opened]
    ) -> dict[bytes, ChatSettings]:
        owner = self._owners.read(c, account)
        opened = {each.chat.blind: each.chat.key for each in page}
        return {} if owner is None else settings_of(c, owner.key, owner.blind, opened)

    def _summaries(
        self, c: Connection, account: AccountId, shown: Sequence[_Opened], kept: dict[bytes, ChatSettings]
    ) -> tuple[list[ChatSummary], list[list[Named]]]:
        """A summary of each chat, and who of a group is to be named; `kept` are the settings of chats."""
        ones = [each.chat.blind for each in shown if each.chat.kind is not ChatKind.GROUP]
        mine = self._blinder.account(account)
        others = {row.chat: row for row in chats.members_of(c, ones) if row.account != mine}
        accepting = contacts.accepting(c, [e.chat.blind for e in shown if e.chat.kind is ChatKind.DIRECT])
        peers = {each.chat.id: self._peer(each.chat, account) for each in shown}
        grouped = [list(self._named(c, account, each)) for each in shown]
        people = chats.count_members_of(c, [e.chat.blind for e in shown if e.chat.kind is ChatKind.GROUP])
        asked = {name for names in grouped for name in names}
        known = self._directory.people(c, asked | {peer for peer in peers.values() if peer is not None})
        summaries = []
        for each in shown:
            peer, blind = peers[each.chat.id], each.chat.blind
            other = others.get(blind)
            person = None if peer is None else known.get(peer)
            summaries.append(
                ChatSummary(
                    **self._infos.members(each.chat.kind, each.chat.record, people.get(blind, 0)),
                    peer=peer,
                    address="" if person is None else self._address(person),
                    display_name=self._name(each.chat, person, accepting),
                    role=None if each.chat.entry is None else each.chat.entry.role.word,
                    last=each.last,
                    unread=self._unread(c, account, each),
                    read=self._id(each.row.mine.read),
                    peer_delivered=None if other is None else self._id(other.delivered),
                    peer_read=None if other is None else self._id(other.read),
                    settings=kept.get(blind),
                )
            )
        people_of = {
            name: Named(name, self._address(known[name]), known[name].display_name)
            for name in asked & known.keys()
        }
        return summaries, [[people_of[name] for name in names if name in people_of] for names in grouped]

    def _named(self, c: Connection, account: AccountId, each: _Opened) -> Iterable[AccountId]:
        """Of a group: who wrote last, and all members where they are few."""
        if each.chat.kind is not ChatKind.GROUP:
            return
        if each.last is not None and each.last.sender != account:
            yield AccountId(each.last.sender)
        rows = roster.some_member_entries(c, each.chat.blind, _FEW + 1)
        if len(rows) <= _FEW:
            yield from (member for member in self._opener.in_roster(each.chat, rows) if member != account)

    def _name(self, chat: ChatContents, person: Known | None, accepting: set[tuple[bytes, bytes]]) -> str:
        """A name is for contacts; it outlives the contact no more than it would anywhere else."""
        if chat.record.group is not None:
            return chat.record.group.name
        if person is None:
            return ""
        ours = chat.kind is not ChatKind.DIRECT
        shown = ours or (chat.blind, self._blinder.account(person.account)) in accepting
        return person.display_name if shown else ""

    def _unread(self, c: Connection, account: AccountId, each: _Opened) -> int:
        """The news behind what was read and behind what one last wrote, of the newest 100 messages.

        Of a chat without history, behind what one wrote of what is there: of what is gone nothing is kept, so
        nothing tells who wrote it, though a message before it may still wait for a device.
        """
        mine, newest = each.row.mine, each.row.newest
        behind = max(mine.read, mine.visible)
        if newest is None or newest.position <= behind:
            return 0
        if each.last is not None and is_own(each.last, account):
            return 0
        rows = events.events_before(c, each.chat.blind, None, UNREAD_LIMIT, behind)
        unread = 0
        for message in undamaged(reversed(rows), lambda row: open_about(c, each.chat, row), "messages"):
            if is_own(message, account):
                break
            unread += is_news(message, account)
        return unread

    def _peer(self, chat: ChatContents, account: AccountId) -> AccountId | None:
        """Who is at the other end, where that is one account."""
        if chat.kind is ChatKind.SYSTEM:
            return self._system
        if chat.kind in (ChatKind.GROUP, ChatKind.SELF, ChatKind.VOICEMAIL):
            return None
        return next(member for member in chat.members if member != account)

    def _address(self, person: Known) -> str:
        return ids.public_address(person.username, person.account, node_of(person.account))

    def _id(self, position: int) -> Cursor | None:
        return self._cursors.encode(position) if position else None


def tell_held(receipts: Receipts, account: AccountId, listed: Listed) -> None:
    """A device is sent a part of the list: it holds the messages in it."""
    for chat, position in listed.held:
        receipts.delivered(account, chat, position)


def _sizes(summaries: Sequence[ChatSummary], names: Sequence[Sequence[Named]]) -> list[int]:
    """How many octets each chat adds to a list, with those who are named for the first time."""
    sizes, seen = [], set[str]()
    for summary, people in zip(summaries, names, strict=True):
        new = [person for person in people if person.account not in seen]
        seen |= {person.account for person in new}
        sizes.append(sum(len(frames.encode_params(each)) + 1 for each in (summary, *new)))
    return sizes


def within(sizes: Sequence[int], budget: int) -> int:
    """How many parts of these sizes, in octets, fit into `budget` of them."""
    total = 0
    for count, size in enumerate(sizes):
        total += size
        if total > budget:
            return count
    return len(sizes)
