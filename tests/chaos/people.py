"""People with the SDK: each says and changes what its own seed makes it, whatever happens around it."""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from random import Random
from typing import Any

from msgspec import Struct
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from safeum_home.client import ClientError, RemoteProblem, SessionEnded, new_client
from safeum_home.client.events import LinkChanged
from safeum_home.protocol import commands as c
from safeum_home.protocol.events import ContactChanged, GroupInvitation, KeysChanged
from safeum_home.protocol.message_types import Deleted
from safeum_home.protocol.types import Contact, ContactState, Message, Text
from tests.chaos.keys import Keys
from tests.chaos.said import DELETED, Saying, Shown, View

PASSWORD = "correct horse battery staple"  # nobody has it who could use it
EMOJI = ("👍", "🎉", "🐝")
PATIENCE = 60.0
"""Seconds for what is done before anything goes wrong."""


class Person:
    """Somebody at a node. `said` is what was acknowledged, by chat."""

    def __init__(self, reactor: Any, login: str, node: str, ca: bytes, seed: int) -> None:
        self.login = login
        self.node = node
        self.address = f"{login}@{node}"
        self.account = ""
        self.client = new_client(reactor, node, ca=ca)
        self.client.listen(self._heard)
        self.keys = Keys(self.client, self.pause, login, seed)
        self.contacts: dict[str, Contact] = {}
        self.invited: set[str] = set()
        self.heard: defaultdict[str, list[Message]] = defaultdict(list)
        self.said: defaultdict[str, list[Saying]] = defaultdict(list)
        self.problems: Counter[str] = Counter()
        self._ids: dict[str, str] = {}
        self._reactor = reactor
        self._random = Random(f"{login} {seed}")
        self._number = 0
        self.doing = ""
        """What it waits for, for people."""

    # --- before anything goes wrong

    async def sign_up(self) -> None:
        policy = await self.client.policy()
        opened = await self.client.register(self.login, PASSWORD, consent=policy.version)
        self.account = self.keys.account = opened.account

    async def befriend(self, other: "Person") -> str:
        """The chat of the two."""
        await self.client.request(other.account, other.address)
        await other.until(lambda: other.stands(self, ContactState.INCOMING))
        await other.client.accept(self.account)
        for one, another in ((self, other), (other, self)):
            await one.until(partial(one.stands, another, ContactState.ACCEPTED))
        return self.contacts[other.account].chat

    async def gather(self, name: str, others: Sequence["Person"]) -> str:
        """The group of all, which has its home where this person is."""
        made = await self.client.create_group(name, [other.account for other in others])
        assert not made.refused, made.refused
        chat = made.chat.chat
        for other in others:
            await other.until(partial(_is_in, other.invited, chat))
            await other.client.accept_invitation(chat)
        return chat

    def stands(self, other: "Person", state: ContactState) -> bool:
        known = self.contacts.get(other.account)
        return known is not None and known.state is state

    async def until(self, happened: Callable[[], bool]) -> None:
        deadline = self._reactor.seconds() + PATIENCE
        while not happened():
            if self._reactor.seconds() > deadline:
                raise AssertionError(f"{self.address}: it does not happen")
            await self.pause(0.02)

    def pause(self, seconds: float) -> "Deferred[None]":
        return deferLater(self._reactor, seconds)

    # --- meanwhile

    async def live(self, chats: Sequence[str], goes_on: Callable[[], bool], pause: float) -> None:
        """Say and change things until it does not go on any more, and all that was said is acknowledged."""
        while goes_on():
            await self.pause(self._random.uniform(0, 2 * pause))
            chat, dice = self._random.choice(chats), self._random.random()
            if dice < 0.02:
                self.doing = "changes its keys"
                await self.keys.change()
            elif dice < 0.7:
                await self._say(chat)
            elif dice < 0.8:
                await self._change(chat, f"{self._random.randrange(10**9)}")
            elif dice < 0.85:
                await self._change(chat, DELETED)
            else:
                await self._react(chat)
        self.doing = ""

    async def _say(self, chat: str) -> None:
        self._number += 1
        text, client_id = f"{self.login} {self._number}", f"{self.login}.{self._number}"
        self.doing = f"says {text!r} in {chat}"
        while True:
            try:
                sent = await self.client.send(chat, text, client_id)
            except RemoteProblem as problem:
                self.problems[problem.code] += 1
                if not problem.passing:
                    raise
                await self.pause(problem.retry_after or 0.5)
            else:
                break
        self.said[chat].append(Saying(text, {text}))
        if not sent.waiting:
            self._ids[text] = sent.id

    async def _change(self, chat: str, state: str) -> None:
        """Edit one of the last messages of one's own, or delete it."""
        own = [
            each for each in self.said[chat][-20:] if DELETED not in each.may_be and each.text in self._ids
        ]
        if not own:
            return
        saying = self._random.choice(own)
        message = self._ids[saying.text]
        self.doing = f"changes {saying.text!r} in {chat}"
        if state == DELETED:
            done = await self._try(self.client.delete(chat, message))
        else:
            state = f"{saying.text}, or {state}"
            done = await self._try(self.client.edit(chat, message, state))
        if done:
            saying.became(state)
        else:
            saying.may_have_become(state)

    async def _react(self, chat: str) -> None:
        told = self.heard[chat][-20:]
        if told:
            message = self._random.choice(told).id
            self.doing = f"reacts in {chat}"
            await self._try(self.client.react(chat, message, self._random.choice((*EMOJI, None))))

    async def _try(self, done: Awaitable[c.Acted]) -> bool:
        """Whether it was done; where it was not, is still to be done, or nobody knows, that is as well."""
        try:
            return not (await done).waiting
        except SessionEnded:
            raise
        except ClientError as error:
            self.problems[error.code if isinstance(error, RemoteProblem) else type(error).__name__] += 1
            return False

    # --- afterwards

    async def view(self, chat: str, logins: dict[str, str]) -> View:
        """A chat, as it is at this person's node; `logins` are those of the accounts that are of interest."""
        pages: list[list[Message]] = []
        before: str | None = None
        while True:
            page = await self.client.history(chat, before, 200)
            pages.append([message for message in page.messages if message.sender in logins])
            if not page.more:
                break
            before = page.messages[0].id
        messages = [_shown(message, logins) for page in reversed(pages) for message in page]
        return View(self.login, messages, [each.id for each in self.heard[chat]])

    def _heard(self, event: Struct | LinkChanged) -> None:
        if isinstance(event, ContactChanged):
            self.contacts[event.contact.account] = event.contact
        elif isinstance(event, KeysChanged):
            self.keys.take(event)
        elif isinstance(event, GroupInvitation):
            self.invited.add(event.invitation.chat)
        elif isinstance(event, Message) and event.sender == self.account:
            if isinstance(event.body, Text):
                self._ids.setdefault(event.body.text, event.id)
        elif isinstance(event, Message) and event.signature is None:
            self.heard[event.chat].append(event)


def _is_in(invited: set[str], chat: str) -> bool:
    return chat in invited


def _shown(message: Message, logins: dict[str, str]) -> Shown:
    body = message.body
    state = DELETED if isinstance(body, Deleted) else body.text if isinstance(body, Text) else str(body)
    reactions = tuple(sorted((each.emoji, each.count) for each in message.reactions))
    return Shown(message.id, logins[message.sender], state, reactions)
