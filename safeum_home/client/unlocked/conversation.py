"""A secure chat, for programs: what can be said in it, and what is to be seen of it."""

from collections.abc import Awaitable, Iterable

from twisted.logger import Logger

from safeum_home.client.errors import ClientError
from safeum_home.client.secure.payloads import Deletion, Edit, File, Reaction, Reply, Text
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.unlocked.chat_files import ChatFiles
from safeum_home.client.unlocked.events import SecureChanged
from safeum_home.client.unlocked.exchange import PAGE, Exchange
from safeum_home.client.unlocked.home import Home
from safeum_home.client.unlocked.items import Fate, Item
from safeum_home.client.unlocked.saying import Said
from safeum_home.spawn import spawn

_log = Logger()


class Conversation(Exchange):
    """`items` are what was said, the oldest first: `SecureChanged` tells of each change.

    `comparisons` compares emoji with its members, `files` sends and fetches files. Once it is locked, or was
    left, all of it raises `wrong_state`.
    """

    def __init__(self, home: Home, chat: str, peer: str | None = None) -> None:
        super().__init__(home, chat, peer)
        self.files = ChatFiles(home, chat, self._answer, self._check, self.say, self._check_open)

    def close(self) -> None:
        """Wipe its keys, and drop what waits, or is under way."""
        self.files.close()
        super().close()

    def earlier(self) -> Awaitable[list[Item]]:
        """A page of older messages, which stand before all others then. Raises `ClientError`."""
        return self._home.awaitable(self._earlier())

    async def _earlier(self) -> list[Item]:
        self._check_open()
        page = await self._home.client.history(self.id, self._oldest, PAGE)
        self._check_open()
        return self._page(page.messages, page.more, False)

    def send(self, text: str, *, reply: str | None = None, mentions: Iterable[str] = ()) -> Item:
        """Say something; `reply` is the hash of the message that is answered.

        `Item.fate` is what becomes of it: what cannot be sealed yet waits in memory alone.
        Raises `Refused`: MALFORMED, TOO_LARGE, NOT_A_MEMBER, TOO_MANY. What cannot be sent later is REFUSED.
        """
        return self.say(Text(text, tuple(mentions), self._answer(reply)))

    def _answer(self, hash: str | None) -> Reply | None:
        answered = None if hash is None else self.items.by_hash(hash)
        return None if hash is None else Reply(hash, None if answered is None else answered.id)

    def say(self, payload: Text | File) -> Item:
        """The same with a payload of another kind."""
        self._check(payload)
        item = Item(self._home.own.account, int(self._home.clock.seconds() * 1000), payload, Fate.WAITING)
        said = Said(payload, item)
        item.reference = said.reference
        self.items.add(item)
        self._say(said)
        return item

    def edit(self, hash: str, text: str, mentions: Iterable[str] = ()) -> None:
        """Another text for a message of one's own.

        It is shown at once. Where the node does not take it, it is taken back, and a `SecureWarning` says so
        (`NotChanged`). Raises `Refused`: NOT_ITS_AUTHOR, and as `send`.
        """
        self._change(Edit(hash, text, tuple(mentions)))

    def react(self, hash: str, emoji: str | None) -> None:
        """One reaction to each message; None takes it back. As with `edit`."""
        self._change(Reaction(hash, emoji))

    def delete(self, hash: str) -> None:
        """Delete a message of one's own for all; then the node's copy of it goes, too. As with `edit`."""
        self._change(Deletion((hash,)))

    def _deleted(self, item: Item) -> None:
        if item.id is not None:
            spawn(self._erase(item.id), "deleting a message of a secure chat")

    async def _erase(self, id: str) -> None:
        try:
            await self._home.client.delete(self.id, id)
        except ClientError as error:
            _log.info("A node keeps an envelope of a message that was deleted: {error}", error=str(error))

    def _change(self, change: Edit | Reaction | Deletion) -> None:
        self._check_open()
        own = self._home.own.account
        if not isinstance(change, Reaction):
            named = change.messages if isinstance(change, Deletion) else (change.message,)
            items = [self.items.by_hash(each) for each in named]
            if any(item is None or item.sender != own for item in items):
                raise Refused(Reason.NOT_ITS_AUTHOR)
        self._check(change)
        traces = self.items.show(own, change)
        for trace in traces:
            self._home.tell(SecureChanged(self.id, trace.item))
        self._say(Said(change, None, traces))

    def forget(self, item: Item) -> bool:
        """Say something no more that waits; whether it did wait."""
        self._check_open()
        unsaid = [each for each in self._unsaid if each.item is item]
        said = unsaid[0] if unsaid else self._under_way.get(item.reference)
        if said is None or not (unsaid or self._chat.forget(item.reference)):
            return False
        if unsaid:
            self._unsaid.remove(said)
        self._fail(said, "")
        return True
