"""Two people at two nodes: they become contacts and talk, and each line says what happens at which node."""

from collections.abc import Callable
from io import BytesIO
from typing import Any, TypeVar

from msgspec import Struct

from safeum_home.client import Client, SessionEnded, new_client
from safeum_home.protocol.events import ChatChanged, ContactChanged, Receipt
from safeum_home.protocol.files import File
from safeum_home.protocol.types import Contact, ContactState, Message, Text

PASSWORD = "correct horse battery staple"  # noqa: S105  # it is shown to whoever runs this

E = TypeVar("E", bound=Struct)
Say = Callable[[str], None]


class Person:
    """Somebody with an account at a node."""

    def __init__(self, login: str, node: str, client: Client, say: Say) -> None:
        self.login = login
        self.address = f"{login}@{node}"
        self.client = client
        self._node = node
        self._say = say
        self._events = client.events()

    def says(self, what: str) -> None:
        self._say(f"  {self._node}  {self.login} {what}")

    async def sign_up(self) -> None:
        policy = await self.client.policy()
        await self.client.register(self.login, PASSWORD, consent=policy.version)
        name = self.login.capitalize()
        await self.client.set_profile(name)
        self.says(f"signs up, as {self.address}, and is called {name}")

    async def hears(self, kind: type[E], is_it: Callable[[E], bool]) -> E:
        """The next event of this kind that `is_it`."""
        async for event in self._events:
            if isinstance(event, kind) and is_it(event):
                return event
        raise SessionEnded("closed", 1000)

    async def is_contact(self, state: ContactState) -> Contact:
        """Told that somebody is now this."""
        return (await self.hears(ContactChanged, lambda event: event.contact.state is state)).contact

    async def writes(self, chat: str, text: str) -> str:
        """The id that the message has at this person's node."""
        sent = await self.client.send(chat, text)
        self.says(f"writes: {text}")
        return sent.id

    async def gets(self, chat: str, text: str) -> Message:
        """The message, as this person's node has it."""
        message = await self.hears(Message, lambda each: each.chat == chat and each.body == Text(text))
        self.says(f"gets: {text}")
        return message


async def talk(ada: Person, ben: Person) -> None:
    """All of it, one thing after the other has arrived."""
    await ada.sign_up()
    await ben.sign_up()
    chat = await _befriend(ada, ben)
    first = await ada.writes(chat, "Hello, over there!")
    copy = await ben.gets(chat, "Hello, over there!")
    await ada.hears(Receipt, lambda receipt: receipt.delivered == first)
    ada.says("sees that it was delivered")
    await ben.client.read(chat, copy.id)
    ben.says("has read it")
    await ada.hears(Receipt, lambda receipt: receipt.read == first)
    ada.says("sees that it was read")
    await ben.writes(chat, "Hello from my node to yours.")
    await ada.gets(chat, "Hello from my node to yours.")
    await ada.client.edit(chat, first, "Hello, Ben!")
    ada.says("edits the first message: Hello, Ben!")
    await ben.hears(ChatChanged, lambda event: event.message.body == Text("Hello, Ben!"))
    ben.says("sees it edited: Hello, Ben!")
    await ben.client.react(chat, copy.id, "👍")
    ben.says("reacts to it: 👍")
    changed = await ada.hears(ChatChanged, lambda event: bool(event.message.reactions))
    ada.says(f"sees the reaction: {changed.message.reactions[0].emoji}")
    await _send_a_file(ada, ben, chat)


async def _send_a_file(ada: Person, ben: Person, chat: str) -> None:
    """What arrives is held against what was sent."""
    octets = b"What I wanted to show you.\n" * 1000
    await ada.client.send_file(chat, BytesIO(octets), name="letter.txt")
    ada.says(f"sends a file: letter.txt, {len(octets)} octets")
    message = await ben.hears(Message, lambda each: each.chat == chat and isinstance(each.body, File))
    fetched = BytesIO()
    await ben.client.download(message, fetched)
    same = "as it was" if fetched.getvalue() == octets else "and it is another one"
    ben.says(f"fetches it through his own node, {same}")


async def _befriend(ada: Person, ben: Person) -> str:
    """Their chat."""
    found = await ada.client.find(ben.address)
    ada.says(f"looks for {ben.address}, whom that node knows")
    await ada.client.request(found.account, ben.address)
    ada.says("asks to be a contact")
    asking = await ben.is_contact(ContactState.INCOMING)
    ben.says(f"is asked by {asking.address}")
    await ben.client.accept(asking.account)
    ben.says("accepts")
    accepted = await ada.is_contact(ContactState.ACCEPTED)
    ada.says("sees that: now they can write to each other")
    return accepted.chat


async def let_them_talk(reactor: Any, nodes: tuple[str, ...], ca: bytes, say: Say) -> None:
    """Ada is at the first node, Ben at the other; afterwards they are logged out."""
    ada, ben = (
        Person(login, node, new_client(reactor, node, ca=ca), say)
        for login, node in zip(("ada", "ben"), nodes, strict=True)
    )
    try:
        await talk(ada, ben)
        for person in (ada, ben):
            await person.client.logout()
    finally:
        for person in (ada, ben):
            await person.client.close()
