"""A secure chat between its cryptography and its node: what is taken, and what is posted."""

from collections import deque
from collections.abc import Sequence
from itertools import count

from twisted.logger import Logger

from safeum_home.client.errors import ClientError
from safeum_home.client.secure import events as e
from safeum_home.client.secure import payloads
from safeum_home.client.secure.chat import SecureChat, Step
from safeum_home.client.secure.chat_memory import ChatMemory
from safeum_home.client.secure.payloads import Payload
from safeum_home.client.secure.public_keys import PublicKeys
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.secure.succession import Line
from safeum_home.client.secure.taking import is_succession
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.unlocked.comparisons import Comparisons
from safeum_home.client.unlocked.events import InClear, SecureChanged
from safeum_home.client.unlocked.home import Home
from safeum_home.client.unlocked.items import Fate, Item, Items, unread
from safeum_home.client.unlocked.members import Told
from safeum_home.client.unlocked.posting import Posting
from safeum_home.client.unlocked.sealed_bodies import file_of, is_in_clear, joined, told_of
from safeum_home.client.unlocked.signing import Signing
from safeum_home.client.unlocked.vouching import Vouching
from safeum_home.protocol.commands import Sent
from safeum_home.protocol.group_types import GroupMember
from safeum_home.protocol.signing import encode_octets
from safeum_home.protocol.types import Message

MOST_WAITING = 100
"""Things said before this account may say something here."""
MOST_EARLY = 1000
"""Messages that come while history is asked for."""
PAGE = 50
MOST_PAGES = 3
"""Of history that are read for the epochs of what stands on the newest."""
_log = Logger()
_references = count(1)


class Exchange(Vouching):
    """What is within a `Conversation`, which programs see. With `peer` it is a chat of two."""

    def __init__(self, home: Home, chat: str, peer: str | None = None) -> None:
        self.id = chat
        self.peer = peer
        self.items = Items()
        self.more = True
        """Whether there are older messages: `earlier`."""
        self.comparisons = Comparisons(home, chat, self._say_quietly)
        self._home = home
        self._chat = SecureChat(
            chat, home.own, home.people, home.clock, peer, home.vault_version, home.former
        )
        self._posting = Posting(home.client, home.clock, chat, self._acknowledged, self._not_taken)
        self._signing = Signing(self._done)
        self._told = Told()
        self._early: deque[Message] | None = deque(maxlen=MOST_EARLY)
        self._unsaid: deque[tuple[Payload, Item | None]] = deque()
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
        self._home.need(others)
        page = await self._home.client.history(self.id, limit=PAGE)
        self._page(page.messages, page.more, True)
        for _ in range(MOST_PAGES):
            if not self.more or not self._chat.lacks_past:
                break
            page = await self._home.client.history(self.id, self._oldest, PAGE)
            self._page(page.messages, page.more, False)
        early, self._early = self._early or (), None
        for message in early:
            self.take(message)
        self._home.loaded(self.id)
        self._flush()

    def _page(self, messages: Sequence[Message], more: bool, newest: bool) -> list[Item]:
        self.more = more
        if messages:
            self._oldest = messages[0].id
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
        self._posting.close()
        self._unsaid.clear()
        self._chat.close()
        self._signing.close()

    # --- what the node tells

    def take(self, message: Message) -> None:
        """A message has come."""
        if self._early is not None:
            self._early.append(message)
            return
        self._look_at(message)
        if message.origin is not None and (item := self.items.by_id(message.origin)) is not None:
            item.id = message.id  # it has waited for the group's own node
            self._home.tell(SecureChanged(self.id, item))
        told = told_of(message)
        if told is not None:
            self._take(told)
        self._flush()

    def _take(self, told: e.Told) -> None:
        self._home.changed()
        step = self._chat.take(told)
        self._done(step)
        if any(isinstance(each, e.RosterChanged | e.KeysChanged) for each in step.events):
            self._done(self._chat.look_again())  # what waits may wait for that
        self._signing.took(told.data, not any(isinstance(each, e.Overtaken) for each in step.events))

    def _look_at(self, message: Message) -> None:
        """What is said in clear, and who has come."""
        if is_in_clear(message):
            self._warn(InClear(message.sender, message.id))
        account = joined(message)
        if account is None or account == self._home.own.account or self.peer is not None:
            return
        self._told.newcomers.add(account)
        if account in self._admitted:
            self._welcome()

    def member(self, member: GroupMember) -> None:
        """Somebody's place in the group is another now."""
        if self.peer is None:
            self._told.take([member])
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

    def concerns(self, account: str) -> bool:
        """Whether it is in the chat, by anybody's word."""
        return account == self.peer or account in self.members or account in self._told.states

    # --- saying

    def _check(self, payload: Payload) -> None:
        payloads.encode(payload)
        if self.peer is None and self._was_in and self._home.own.account not in self._chat.members:
            raise Refused(Reason.NOT_A_MEMBER)
        if len(self._unsaid) >= MOST_WAITING:
            raise Refused(Reason.TOO_MANY)

    def _say_quietly(self, payload: Payload) -> None:
        """What is no message."""
        self._say(payload, None)

    def _say(self, payload: Payload, item: Item | None) -> None:
        self._unsaid.append((payload, item))
        if item is not None and (file := file_of(payload)) is not None:
            self._posting.attach(item.reference, file)
        self._flush()
        if item is not None and item.fate is Fate.WAITING:
            if not self._home.may_say:
                item.waits_for = (self._home.own.account,)
            self._home.tell(SecureChanged(self.id, item))

    def _flush(self) -> None:
        """Say what was to be said, as soon as that can be."""
        own = self._home.own.account
        while self._unsaid and self._home.may_say and self._early is None and own in self._chat.members:
            if self._told.newcomers & self.members or self._signing.busy:
                self._welcome()
                return
            payload, item = self._unsaid.popleft()
            reference = "" if item is None else item.reference
            try:
                self._done(self._chat.say(payload, reference))
            except Refused:
                self._fail(item)

    def _done(self, step: Step) -> None:
        for event in step.events:
            self._heard(event)
        for post in step.posts:
            item = self.items.by_reference(post.reference) if post.reference else None
            if item is not None:
                self.items.sealed(item, encode_octets(post.hash))
                item.fate, item.waits_for = Fate.SENDING, ()
                self._home.tell(SecureChanged(self.id, item))
        self._posting.put(step.posts)

    # --- what becomes of what was posted

    def _acknowledged(self, post: e.Post, sent: Sent) -> None:
        item = self.items.by_reference(post.reference) if post.reference else None
        if item is not None:
            item.fate, item.id = Fate.SENT, sent.id
            self._home.tell(SecureChanged(self.id, item))
        if not sent.waiting:
            self._take(e.Told(self._home.own.account, sent.id, post.data, post.quiet))
            self._flush()

    def _not_taken(self, posts: list[e.Post], error: ClientError) -> None:
        self._chat.renew()
        self._signing.failed([post.data for post in posts], error)
        for post in posts:
            self._fail(self.items.by_reference(post.reference) if post.reference else None)

    def _fail(self, item: Item | None) -> None:
        if item is not None:
            self._posting.detach(item.reference)
            item.fate = Fate.REFUSED
            self._home.tell(SecureChanged(self.id, item))
