"""A secure chat between its cryptography and its node: what is taken, and what is posted."""

from collections import OrderedDict, deque
from collections.abc import Sequence

from safeum_home.client.secure import events as e
from safeum_home.client.secure.chat import SecureChat
from safeum_home.client.secure.chat_memory import ChatMemory
from safeum_home.client.secure.public_keys import PublicKeys
from safeum_home.client.secure.refused import Reason
from safeum_home.client.secure.succession import Line
from safeum_home.client.secure.taking import hash_of, is_succession
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.unlocked.comparisons import Comparisons
from safeum_home.client.unlocked.events import InClear, SecureChanged
from safeum_home.client.unlocked.home import Home
from safeum_home.client.unlocked.items import Fate, Item, Items, unread
from safeum_home.client.unlocked.members import Told
from safeum_home.client.unlocked.saying import Saying
from safeum_home.client.unlocked.sealed_bodies import is_in_clear, joined, told_of
from safeum_home.client.unlocked.signing import Signing
from safeum_home.protocol.group_types import GroupMember
from safeum_home.protocol.signing import encode_octets
from safeum_home.protocol.types import Message

MOST_EARLY = 1000
"""Messages that come while history is asked for."""
PAGE = 50
MOST_PAGES = 3
"""Of history that are read for the epochs of what stands on the newest."""
MOST_MISSED = 20
"""Pages that are read of what has come where the node's events were lost."""
MOST_SEEN = 4096
"""Ids of messages by which it is known how far those had come."""


class Exchange(Saying):
    """What is within a `Conversation`, which programs see. With `peer` it is a chat of two."""

    def __init__(self, home: Home, chat: str, peer: str | None = None) -> None:
        self.id = chat
        self.peer = peer
        self.items = Items()
        self.more = True
        """Whether there are older messages: `earlier`."""
        self.comparisons = Comparisons(home, chat, self._say_quietly, self._check_open)
        self._home = home
        self._chat = SecureChat(
            chat, home.own, home.people, home.clock, peer, home.vault_version, home.former
        )
        self._begin_saying(home)
        self._signing = Signing(self._done)
        self._told = Told()
        self._early: deque[Message] | None = deque(maxlen=MOST_EARLY)
        self._asked = set()
        self._seen: OrderedDict[str, None] = OrderedDict()
        """Ids of what was looked at last."""
        self._admitted: set[str] = set()
        """For whom this program has vouched."""

    # --- opening and closing

    @property
    def oldest(self) -> str | None:
        """What the node calls the oldest message that was looked at here."""
        return self._oldest

    async def load(self) -> None:
        """Ask who is in it, and what was said last; what has come meanwhile follows. Raises `ClientError`."""
        if self.peer is None:
            await self._told.load(self._home.client, self.id)
            self._done(self._chat.members_told(self._told.members))
        others = self._told.members - {self._home.own.account} if self.peer is None else (self.peer,)
        self._ask(others)
        page = await self._home.client.history(self.id, limit=PAGE)
        self._page(page.messages, page.more, True)
        for _ in range(MOST_PAGES):
            if not self.more or not self._chat.lacks_past:
                break
            page = await self._home.client.history(self.id, self._oldest, PAGE)
            self._page(page.messages, page.more, False)
        self._take_early()
        self._home.loaded(self.id)
        self._flush()

    def _take_early(self, missed: Sequence[Message] = ()) -> None:
        early, self._early = self._early or (), None
        for message in (*missed, *early):
            self.take(message)

    async def catch_up(self) -> None:
        """Events were lost: read what came since the last that is known here. Raises `ClientError`.

        It is as what comes: what is missing of it is a gap.
        """
        if self._early is not None:
            return  # it is being loaded anyway
        self._early = deque(maxlen=MOST_EARLY)
        missed: list[Message] = []
        try:
            if self.peer is None:
                await self._told.load(self._home.client, self.id)
                self._check_open()
                self._done(self._chat.members_told(self._told.members))
            missed = await self._missed()
        finally:
            if not self._closed:
                self._take_early(missed)
        self._flush()

    async def _missed(self) -> list[Message]:
        missed: list[Message] = []
        for _ in range(MOST_MISSED):
            before = missed[0].id if missed else None
            page = await self._home.client.history(self.id, before, PAGE)
            new = [message for message in page.messages if message.id not in self._seen]
            missed[:0] = new
            if not page.more or len(new) < len(page.messages):
                break
        return missed

    def _page(self, messages: Sequence[Message], more: bool, newest: bool) -> list[Item]:
        self.more = more
        if messages:
            self._oldest = messages[0].id
        self._see(*(message.id for message in messages))
        received = list[e.Received | Item]()
        # What stands before a succession is signed with keys that it tells.
        for message in sorted(messages, key=lambda each: not self._is_succession(each)):
            told = told_of(message)
            for event in [] if told is None else self._chat.past([told]).events:
                if isinstance(event, e.Received):
                    received.append(event)
                elif isinstance(event, e.Refusal) and event.reason is Reason.FORMER_KEYS:
                    received.append(unread(event, message.at))
                else:
                    self._heard(event)
            if newest:
                self._look_at(message)
        return self.items.page(received)

    @staticmethod
    def _is_succession(message: Message) -> bool:
        told = told_of(message)
        return told is not None and is_succession(told)

    @property
    def own(self) -> UniqueKey:
        """The keys of this account with which it is open."""
        return self._chat.own

    def memory(self) -> ChatMemory:
        """What the vault keeps of it."""
        return self._chat.memory()

    def restore(self, memory: ChatMemory) -> None:
        """What the vault has kept."""
        self._chat.restore(memory)
        self._enter()

    def know(self, line: Line | None) -> None:
        """How the keys of this account came to be in force."""
        if line is not None:
            self._chat.know(line)

    def close(self) -> None:
        """Wipe its keys, and drop what waits."""
        self.comparisons.close()
        self._end_saying()
        self._chat.close()
        self._signing.close()

    # --- what the node tells

    def take(self, message: Message) -> None:
        """A message has come."""
        if self._early is not None:
            self._early.append(message)
            return
        self._see(message.id)
        self._look_at(message)
        told = told_of(message)
        if told is not None:
            if told.sender == self._home.own.account:
                self._arrived(told)
            self._take(told)
        self._flush()

    def _arrived(self, told: e.Told) -> None:
        """One's own that has waited for the group's node has another id there. Which it is its octets say.

        So where it comes though the node has said that it does not take it.
        """
        hash = encode_octets(hash_of(told) or b"")
        item = self.items.by_hash(hash)
        if item is not None and item.hash == hash and item.sender == told.sender and item.id != told.id:
            item.id, item.fate = told.id, Fate.SENT if item.fate is Fate.REFUSED else item.fate
            self._home.tell(SecureChanged(self.id, item))

    def _see(self, *ids: str) -> None:
        self._seen.update(dict.fromkeys(ids))
        while len(self._seen) > MOST_SEEN:
            self._seen.popitem(last=False)

    def _take(self, told: e.Told) -> None:
        self._see(told.id)
        self._home.changed()
        step = self._chat.take(told)
        self._done(step)
        if any(isinstance(each, e.RosterChanged | e.KeysChanged) for each in step.events):
            self._done(self._chat.look_again())  # what waits may wait for that
        refused = any(isinstance(each, e.Refusal) and each.id == told.id for each in step.events)
        if told.sender == self._home.own.account and not refused:
            self._signing.took(told.data, not any(isinstance(each, e.Overtaken) for each in step.events))

    def _look_at(self, message: Message) -> None:
        """What is said in clear, and who has come."""
        if is_in_clear(message):
            self._warn(InClear(message.sender, message.id))
        account = joined(message)
        if account is None or account == self._home.own.account or self.peer is not None:
            return
        self._told.came(account)
        if account in self._admitted:
            self._welcome()

    def member(self, member: GroupMember) -> None:
        """Somebody's place in the group is another now."""
        if self.peer is None:
            self._told.take([member])
        if self._told.is_known:
            self._done(self._chat.members_told(self._told.members))
            self._flush()

    def keys_told(self, account: str, keys: PublicKeys) -> None:
        """The directory has these."""
        self._done(self._chat.keys_told(account, keys))
        self._flush()

    def look_again(self) -> None:
        """Keys were accepted."""
        self._done(self._chat.look_again())
        self._flush()

    def tick(self) -> None:
        self._done(self._chat.tick())
        self._look_at_strangers()
        self._was_refused = False
        self._flush()

    def concerns(self, account: str) -> bool:
        """Whether it is in the chat, by anybody's word."""
        return account == self.peer or account in self.members or account in self._told.states
