"""A secure chat, for programs: what can be said in it, and what is to be seen of it."""

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import count

from twisted.logger import Logger

from safeum_home.client.errors import ClientError
from safeum_home.client.secure import events as e
from safeum_home.client.secure import payloads
from safeum_home.client.secure.chat import SecureChat, Step
from safeum_home.client.secure.payloads import Deletion, Edit, Payload, Reaction, Reply, Text
from safeum_home.client.secure.public_keys import PublicKeys
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.unlocked.comparisons import Comparisons
from safeum_home.client.unlocked.events import InClear, SecureChanged, SecureWarning
from safeum_home.client.unlocked.home import Home
from safeum_home.client.unlocked.items import Fate, Item, Items, item_of
from safeum_home.client.unlocked.members import Told
from safeum_home.client.unlocked.posting import Posting
from safeum_home.client.unlocked.sealed_bodies import is_in_clear, joined, told_of
from safeum_home.client.unlocked.signing import Signing
from safeum_home.protocol.commands import Sent
from safeum_home.protocol.group_types import GroupMember
from safeum_home.protocol.signing import encode_octets
from safeum_home.protocol.types import Message
from safeum_home.spawn import spawn

MOST_WAITING = 100
"""Things said before this account may say something here."""
MOST_EARLY = 1000
"""Messages that come while history is asked for."""
PAGE = 50
_log = Logger()
_references = count(1)


class Conversation:
    """`items` are what was said, the oldest first: `SecureChanged` tells of each change.

    With `peer` it is a chat of two; else its members sign who is in it.
    """

    def __init__(self, home: Home, chat: str, peer: str | None = None) -> None:
        self.id = chat
        self.peer = peer
        self.items = Items()
        self.more = True
        """Whether there are older messages: `earlier`."""
        self.comparisons = Comparisons(home, chat, self._say_quietly)
        self._home = home
        self._chat = SecureChat(chat, home.own, home.people, home.clock, peer, home.vault_version)
        self._posting = Posting(home.client, home.clock, chat, self._acknowledged, self._not_taken)
        self._signing = Signing(self._done)
        self._told = Told()
        self._early: deque[Message] | None = deque(maxlen=MOST_EARLY)
        self._unsaid: deque[tuple[Payload, Item | None]] = deque()
        self._admitted: set[str] = set()
        """For whom this program has vouched."""
        self._was_in = False
        self._oldest: str | None = None

    # --- opening and closing

    async def load(self) -> None:
        """Ask who is in it, and what was said last; what has come meanwhile follows. Raises `ClientError`."""
        if self.peer is None:
            await self._told.load(self._home.client, self.id)
            self._done(self._chat.members_told(self._told.members))
        page = await self._home.client.history(self.id, limit=PAGE)
        self._page(page.messages, page.more, True)
        early, self._early = self._early or (), None
        for message in early:
            self.take(message)
        self._flush()

    async def earlier(self) -> list[Item]:
        """A page of older messages; those of it that are shown. Raises `ClientError`."""
        page = await self._home.client.history(self.id, self._oldest, PAGE)
        return self._page(page.messages, page.more, False)

    def _page(self, messages: Sequence[Message], more: bool, newest: bool) -> list[Item]:
        self.more = more
        if messages:
            self._oldest = messages[0].id
        received = list[e.Received]()
        for message in messages:
            told = told_of(message)
            for event in [] if told is None else self._chat.past([told]).events:
                if isinstance(event, e.Received):
                    received.append(event)
                else:
                    self._heard(event)
            if newest:
                self._look_at(message)
        return self.items.page(received)

    def close(self) -> None:
        """Wipe its keys, and drop what waits."""
        self.comparisons.close()
        self._posting.close()
        self._unsaid.clear()
        self._chat.close()

    # --- what the node tells

    def take(self, message: Message) -> None:
        """A message has come."""
        if self._early is not None:
            self._early.append(message)
            return
        self._look_at(message)
        told = told_of(message)
        if told is not None:
            self._take(told)
        self._flush()

    def _take(self, told: e.Told) -> None:
        step = self._chat.take(told)
        self._done(step)
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

    @property
    def members(self) -> frozenset[str]:
        """Who can read what is said: by the word of members, not of the node."""
        return frozenset(self._chat.members)

    def concerns(self, account: str) -> bool:
        """Whether it is in the chat, by anybody's word."""
        return account == self.peer or account in self.members or account in self._told.states

    # --- what somebody wants

    def send(self, text: str, *, reply: str | None = None, mentions: Iterable[str] = ()) -> Item:
        """Say something; `reply` is the hash of the message that is answered. `Item.fate` is what becomes of it.

        What cannot be sealed yet waits in memory alone. Raises `Refused`: MALFORMED, TOO_LARGE,
        NOT_A_MEMBER, TOO_MANY.
        """
        answered = None if reply is None else self.items.by_hash(reply)
        about = None if reply is None else Reply(reply, None if answered is None else answered.id)
        return self.say(Text(text, tuple(mentions), about))

    def say(self, payload: Text | payloads.File) -> Item:
        """The same with a payload of another kind."""
        self._check(payload)
        item = Item(self._home.own.account, int(self._home.clock.seconds() * 1000), payload, Fate.WAITING)
        item.reference = f"said-{next(_references)}"
        self.items.add(item)
        self._say(payload, item)
        return item

    def edit(self, hash: str, text: str, mentions: Iterable[str] = ()) -> None:
        """Another text for a message of one's own."""
        self._change(Edit(hash, text, tuple(mentions)))

    def react(self, hash: str, emoji: str | None) -> None:
        """One reaction to each message; None takes it back."""
        self._change(Reaction(hash, emoji))

    def delete(self, hash: str) -> None:
        """Delete a message of one's own for all; the node's copy of it goes, too."""
        item = self.items.by_hash(hash)
        self._change(Deletion((hash,)))
        if item is not None and item.id is not None and item.sender == self._home.own.account:
            spawn(self._erase(item.id), "deleting a message of a secure chat")

    async def _erase(self, id: str) -> None:
        try:
            await self._home.client.delete(self.id, id)
        except ClientError as error:
            _log.info("A node keeps an envelope of a message that was deleted: {error}", error=str(error))

    def _change(self, change: Edit | Reaction | Deletion) -> None:
        own = self._home.own.account
        if not isinstance(change, Reaction):
            named = change.messages if isinstance(change, Deletion) else (change.message,)
            items = [self.items.by_hash(each) for each in named]
            if any(item is None or item.sender != own for item in items):
                raise Refused(Reason.NOT_ITS_AUTHOR)
        self._check(change)
        for item in self.items.change(own, change):
            self._home.tell(SecureChanged(self.id, item))
        self._say(change, None)

    def forget(self, item: Item) -> bool:
        """Say something no more that waits; whether it did wait."""
        kept = deque(each for each in self._unsaid if each[1] is not item)
        if len(kept) != len(self._unsaid):
            self._unsaid = kept
        elif not self._chat.forget(item.reference):
            return False
        item.fate = Fate.REFUSED
        self._home.tell(SecureChanged(self.id, item))
        return True

    # --- members

    async def admit(self, accounts: Iterable[str]) -> None:
        """Vouch for accounts, with the keys that are known of them; before the node is told.

        Raises `Refused(NO_KEYS)`, `ClientError`.
        """
        named = tuple(accounts)
        await self._signing.sign(lambda: self._chat.admit(named))
        self._admitted |= set(named)

    async def dismiss(self, accounts: Iterable[str]) -> None:
        """Say that these, or oneself, are in it no more; before the node is told. Raises `ClientError`."""
        named = tuple(accounts)
        self._admitted -= set(named)
        await self._signing.sign(lambda: self._chat.dismiss(named))

    def rekey(self, account: str) -> None:
        """Keys of somebody were accepted: vouch for them, where it is a member with others."""
        person, vouched = self._home.people.get(account), self._chat.members.get(account)
        if self.peer is None and person is not None and vouched not in (None, person.keys.hash):
            spawn(self.admit([account]), "vouching for other keys")

    def _welcome(self) -> None:
        """Sign the roster anew for who has come: what was said before it is not told to them."""
        if not self._signing.busy and self._told.newcomers & self.members:
            spawn(self._signing.sign(lambda: self._chat.admit(())), "vouching for who has come")

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
        self._flush()
        if item is not None and item.fate is Fate.WAITING:
            self._home.tell(SecureChanged(self.id, item))

    def _flush(self) -> None:
        """Say what was to be said, as soon as that can be."""
        own = self._home.own.account
        self._was_in |= own in self._chat.members
        while self._unsaid and self._early is None and own in self._chat.members:
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

    def _heard(self, event: e.Event) -> None:
        match event:
            case e.Received():
                self._received(event)
            case e.KeysNeeded(accounts=accounts):
                self._home.need(accounts)
            case e.VaultNewer(version=version):
                self._home.vault_newer(version)
            case e.Waiting(reference=reference, accounts=accounts):
                if (item := self.items.by_reference(reference)) is not None:
                    item.waits_for = accounts
                    self._home.tell(SecureChanged(self.id, item))
            case e.RosterChanged(change=change):
                self._told.newcomers -= self.members
                if any(change):
                    self._warn(event)
            case e.Gone(accounts=accounts):
                # Who is invited is vouched for already, and is sealed to once it has come.
                if gone := tuple(each for each in accounts if not self._told.is_invited(each)):
                    self._warn(e.Gone(gone))
            case e.Overtaken():
                pass  # it is signed anew
            case _:
                self._warn(event)

    def _received(self, received: e.Received) -> None:
        payload = received.payload
        if isinstance(payload, Edit | Reaction | Deletion):
            changed = self.items.change(received.sender, payload)
        elif (item := item_of(received)) is not None:
            if self.items.by_hash(item.hash or "") is not None:
                return
            self.items.sealed(item, item.hash or "")
            self.items.add(item)
            changed = [item]
        else:
            self.comparisons.heard(received.sender, payload)
            return
        for item in changed:
            self._home.tell(SecureChanged(self.id, item))

    def _warn(self, about: e.Event | InClear) -> None:
        self._home.tell(SecureWarning(self.id, about))

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
            item.fate = Fate.REFUSED
            self._home.tell(SecureChanged(self.id, item))
