"""What a group is, across nodes: its hub tells, and the nodes of those who are in it keep that."""

from collections.abc import Callable

from msgspec import structs, to_builtins
from sqlalchemy import Connection

from safeum_home.chats.across.groups.copies import Copy, Fresh, GroupCopies
from safeum_home.chats.across.groups.descriptions import beginning, check_id, check_secrecy, described
from safeum_home.chats.across.groups.history import shared_history
from safeum_home.chats.across.groups.telling import GroupTelling
from safeum_home.chats.groups.draft import Entry
from safeum_home.chats.groups.events import GroupEvents
from safeum_home.chats.groups.roster import Role, RosterState
from safeum_home.chats.infos import ChatInfos
from safeum_home.chats.record import ChatRecord
from safeum_home.chats.registry import ChatRegistry
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import AccountId
from safeum_home.limits import RateLimit
from safeum_home.ports import Database
from safeum_home.ports.federation import Applied
from safeum_home.ports.sealing import BLIND
from safeum_home.protocol.federation.events import Event, new_event
from safeum_home.protocol.federation.groups import GROUP, OVER, SharedEnd, SharedGroup
from safeum_home.protocol.federation.people import content
from safeum_home.protocol.signing import encode_octets
from safeum_home.storage import chats, group_nodes


def shared_group(c: Connection, chat: bytes, record: ChatRecord) -> SharedGroup:
    """What other nodes are told of a group; raises `Tampered` for what is none."""
    if (group := record.group) is None:
        raise Tampered
    people = chats.count_members(c, chat)
    history, seed = shared_history(record, group.hub), group.seed or None
    about = group.name, group.about, group.avatar, group.earlier, people
    return SharedGroup(*about, seed=seed, history=history, secure=group.secure, pair=group.pair)


class GroupKind:
    """`ports.SharedKind`: `group`."""

    type = GROUP

    def __init__(
        self,
        database: Database,
        system: AccountId,
        now: Callable[[], int],
        registry: ChatRegistry,
        events: GroupEvents,
        copies: GroupCopies,
        infos: ChatInfos,
        erased: Callable[[], object],
        limit: RateLimit,
    ) -> None:
        """`system` is this node's; `now` is in milliseconds. `erased` destroys what was wrapped.

        `limit` is how often each hub may have messages erased by beginning a copy anew.
        """
        self._database = database
        self._system = system
        self._now = now
        self._registry = registry
        self._events = events
        self._copies = copies
        self._infos = infos
        self._erased = erased
        self._limit = limit

    def build(self, c: Connection, pointer: bytes) -> Event | None:
        try:
            record, _ = self._events.open_group(c, pointer[:BLIND])
            told = shared_group(c, pointer[:BLIND], record)
        except Tampered:
            return None
        if life := pointer[BLIND + 8 :]:
            if group_nodes.visible(c, pointer[:BLIND], life) is None:
                return None
            told = structs.replace(told, begins=encode_octets(life))
        return new_event(GROUP, self._system, self._now(), to_builtins(told), record.id)

    async def apply(self, node: str, event: Event) -> Applied:
        """A group is this now. One that nobody here is in, nor wants to be in, is none of this node's."""
        told, chat = content(event, SharedGroup), self._copies.told_of(node, event)
        check_secrecy(told)
        if told.begins is not None or told.seed is not None:
            check_id(node, chat, told)
        fresh: list[Fresh] = []
        outcome: list[Copy] = []
        places: list[int] = []
        self._registry.changing(chat)

        def placed() -> None:
            places[:] = [self._database.next_position() for _ in range(2)]
            fresh[:] = [self._copies.fresh(node, chat, told)]

        def store(c: Connection) -> None:
            outcome.clear()
            copy = self._copies.read(c, node, chat)
            wanted = group_nodes.is_wanted(c, fresh[0][0].blind)
            if copy is None:
                if told.begins is not None and wanted:
                    self._copies.insert(c, fresh[0])
                return
            before = copy.group
            if (told.secure, told.pair) != (before.secure, before.pair):
                raise Problem(Code.MALFORMED_EVENT)
            if told.begins not in (None, copy.group.life):
                if not wanted and not self._copies.here(copy):
                    return  # nobody is to have it: it is not erased again and again
                outcome.append(copy)
                self._ended(copy, places[0])
                if not wanted:
                    self._copies.drop_if_over(copy, fresh[0], places[0])
                else:
                    self._copies.begin_anew(copy, fresh[0], places[0])
                if copy.gone:
                    self._limit.take(node)  # each time the keyring turns
                if not wanted:
                    return
                copy.record = beginning(structs.replace(copy.record, pinned=(), pins=None), told)
            outcome[:] = [copy]
            now, position = described(copy.group, told), places[1]
            if now == before:
                return
            self._copies.keep(copy, now, position)
            people = chats.count_members(c, copy.blind)
            members = [entry.account for entry in self._copies.here(copy)]
            self._copies.tell(copy, members, self._infos.updated_to(copy.record, people, position))
            if (now.name, now.about) != (before.name, before.about):
                for entry in self._copies.here(copy, invited=True):
                    self._copies.tell_invited(copy, entry._replace(position=position), again=True)

        def publish() -> None:
            for copy in outcome:
                copy.publish(self._erased)

        return Applied(store, publish, lambda: self._registry.changed(chat), placed)

    def _ended(self, copy: Copy, position: int) -> None:
        """Whom the copy has for members has left since then: nobody of this node was in the group."""
        for entry in self._copies.here(copy):
            left = Entry(entry.account, RosterState.LEFT, Role.MEMBER, None, 0, position)
            self._copies.put(copy, left)
            self._copies.tell_entry(copy, left)


class OverKind:
    """`ports.SharedKind`: `group.over`. Nothing is left of a group at its hub when that is told."""

    type = OVER

    def __init__(
        self,
        database: Database,
        system: AccountId,
        now: Callable[[], int],
        registry: ChatRegistry,
        copies: GroupCopies,
        telling: GroupTelling,
        erased: Callable[[], object],
    ) -> None:
        """`system` is this node's; `now` is in milliseconds. `erased` destroys what was wrapped."""
        self._database = database
        self._system = system
        self._now = now
        self._registry = registry
        self._copies = copies
        self._telling = telling
        self._erased = erased

    def build(self, c: Connection, pointer: bytes) -> Event | None:
        try:
            chat = self._telling.over(pointer)
        except Tampered:
            return None
        return new_event(OVER, self._system, self._now(), to_builtins(SharedEnd()), chat)

    async def apply(self, node: str, event: Event) -> Applied:
        content(event, SharedEnd)
        chat = self._copies.told_of(node, event)
        outcome: list[Copy] = []
        position = self._database.next_position()
        self._registry.changing(chat)

        def placed() -> None:
            nonlocal position
            position = self._database.next_position()

        def store(c: Connection) -> None:
            outcome.clear()
            copy = self._copies.read(c, node, chat)
            if copy is None:
                return
            for entry in (*self._copies.here(copy), *self._copies.here(copy, invited=True)):
                invited = entry.state is RosterState.INVITED
                state = RosterState.REMOVED if invited else RosterState.LEFT
                ended = Entry(entry.account, state, Role.MEMBER, None, 0, position)
                self._copies.put(copy, ended)
                self._copies.tell_entry(copy, ended)
            self._copies.drop(copy, position)
            outcome.append(copy)

        def publish() -> None:
            for copy in outcome:
                copy.publish(self._erased)

        return Applied(store, publish, lambda: self._registry.changed(chat), placed)
