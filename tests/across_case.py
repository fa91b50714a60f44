"""People of different nodes who have each other in their lists, and what each of them sees."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.accounts.contact_rows import ContactSide, Entry
from safeum_home.errors import Problem
from safeum_home.ids import AccountId, direct_chat_id
from safeum_home.ports.federation import Applied
from safeum_home.protocol.federation.events import Event, new_event
from safeum_home.protocol.types import ContactState
from safeum_home.storage import contacts
from safeum_home.storage.rows import ContactRow
from tests.nodes import Nodes
from tests.world import Client, World

A, B = "a.example", "b.example"


def _meet(world: World, own: Client, foreign: Client, accepts: bool = True) -> None:
    """The rows of both sides at the node of `own`."""
    blinder, database = world.vault.blinder, world.database
    me, other = AccountId(own.account), AccountId(foreign.account)
    chat = direct_chat_id(me, other)
    side = ContactSide(database, blinder, world.vault.cursors, world.domain.directory, 1000)
    owner: list[Any] = []
    world.domain.directory.get(me).addCallback(owner.append)
    place = database.next_position()
    insert = world.domain.registry.direct(me, other)
    state = contacts.ACCEPTED if accepts else contacts.GONE
    mirrored = ContactRow(blinder.account(other), blinder.account(me), blinder.chat(chat), state, place, b"")

    def store(c: Connection) -> None:
        side.write(c, owner[0], Entry(other, foreign.address, chat, ContactState.ACCEPTED, place))
        contacts.put_contact(c, mirrored)
        insert(c)

    world.domain.registry.changing(chat)
    database.transact(store)
    world.domain.registry.changed(chat)


def befriend_across(first: Client, second: Client) -> str:
    """Both are in each other's list at both nodes; their chat."""
    _meet(first.world, first, second)
    _meet(second.world, second, first)
    return direct_chat_id(AccountId(first.account), AccountId(second.account))


def consent(own: Client, foreign: Client, accepts: bool) -> None:
    """At the node of `own` it is known whether `foreign` has it in its list."""
    _meet(own.world, own, foreign, accepts)


def _nothing() -> None:
    """Nothing happens."""


class Person:
    """What a client shows of one chat, by the rules of docs/messages.md alone."""

    def __init__(self, client: Client, chat: str) -> None:
        self.client = client
        self.chat = chat
        self.messages: dict[str, dict[str, Any]] = {}
        self.receipts: dict[str, dict[str, Any]] = {}

    def take(self) -> None:
        for event in self.client.take():
            params = event["params"]
            if event["method"] == "chat.message" and params["chat"] == self.chat:
                self.messages[params["id"]] = params
            elif event["method"] == "chat.changed" and params["message"]["chat"] == self.chat:
                self.messages[params["message"]["id"]] = params["message"]
            elif event["method"] == "chat.receipt" and params["chat"] == self.chat:
                self.receipts[params["account"]] = params


class AcrossCase(SynchronousTestCase):
    """Alice is at one node and Bob at another; `self.chat` is theirs."""

    options: dict[str, Any] = {}
    """Of both nodes."""

    def setUp(self) -> None:
        self.nodes = Nodes(A, B, **self.options)
        self.alice, self.bob = self.nodes[A].register("alice"), self.nodes[B].register("bob")
        self.chat = befriend_across(self.alice, self.bob)
        self.alice.take()
        self.bob.take()

    def tearDown(self) -> None:
        for name, peer in self.nodes.peers.items():
            self.assertEqual(peer.refused, [], name)

    def write(self, client: Client, words: str, **more: Any) -> str:
        """Send; the id that the message has at the node of `client`."""
        params = client.message(self.chat, words) | more
        return str(client.call("chat.send", **params)["id"])

    def settle(self) -> None:
        self.nodes.settle()

    def about(self, message: str, **params: Any) -> dict[str, Any]:
        return {"chat": self.chat, "message": message, **params}

    def edit(self, client: Client, message: str, words: str) -> None:
        client.call("message.edit", **self.about(message, body={"kind": "text", "text": words}))

    def delete(self, client: Client, message: str) -> None:
        client.call("message.delete", **self.about(message))

    def react(self, client: Client, message: str, emoji: str | None) -> None:
        client.call("message.react", **self.about(message, emoji=emoji))

    def pin(self, client: Client, message: str) -> None:
        client.call("chat.pin", **self.about(message))

    def pinned(self, client: Client) -> list[str]:
        """What the list of chats has as pinned, which is what `chat.pinned` fetches."""
        [chat] = [chat for chat in client.call("chat.list")["chats"] if chat["chat"] == self.chat]
        fetched = client.call("chat.pinned", chat=self.chat)["messages"]
        self.assertEqual(chat["pinned"], [message["id"] for message in fetched])
        return list(chat["pinned"])

    def page(self, client: Client, **params: Any) -> list[dict[str, Any]]:
        found = client.call("chat.history", chat=self.chat, **params)["messages"]
        return list(found)

    def shown(self, client: Client) -> list[tuple[str, str]]:
        """The chat as `client` reads it: who wrote, and what."""
        return [(m["sender"], m["body"].get("text", m["body"]["kind"])) for m in self.page(client)]

    def back(self, client: Client) -> Client:
        """The same device on the node as it is now: that was started anew."""
        again = Client(self.nodes[client.account.partition(":")[2]])
        again.account, again.token = client.account, client.token
        return again.opened(again.call("session.resume", token=client.token, since=client.cursor))

    # --- another node that says what it likes

    def hear(self, node: str, event: Event, meanwhile: Callable[[], None] = _nothing) -> None:
        """Tell the node of Alice an event of `node`; raises `Problem`.

        `meanwhile`: what happens before it is handed to the database.
        """
        world = self.nodes[A]
        kind = next(kind for kind in world.domain.shared if kind.type == event.type)
        done: list[Any] = []
        applying: Any = kind.apply(node, event)
        Deferred.fromCoroutine(applying).addBoth(done.append)
        if not isinstance(done[0], Applied):
            raise done[0].value
        meanwhile()
        done[0].placed()
        stored: list[Any] = []
        world.database.transact(done[0].store).addBoth(stored.append)
        if stored[0] is not None:
            raise stored[0].value
        done[0].publish()
        done[0].ended()

    def refused(self, code: str, node: str, event: Event) -> None:
        """It is refused with this code, and changes nothing at all."""
        world = self.nodes[A]
        before = self.rows(world)
        problem = self.assertRaises(Problem, self.hear, node, event)
        self.assertEqual(problem.code.code, code)
        self.assertEqual(self.rows(world), before)
        self.assertEqual(self.alice.take(), [])

    def rows(self, world: World) -> list[Any]:
        tables = ("events", "dedupe", "changes", "reactions", "members", "chats")

        def read(c: Connection) -> list[Any]:
            return [c.exec_driver_sql(f"SELECT * FROM {table}").all() for table in tables]

        return world.database.now(read)

    def event(self, type: str, content: dict[str, Any], id: str | None = "m1", **changed: Any) -> Event:
        """An event of Bob, as his node would make it."""
        told: dict[str, Any] = {"sender": self.bob.account, "chat": self.chat, "at": self.now, **changed}
        event = new_event(type, told["sender"], told["at"], content, told["chat"], id)
        return event

    @property
    def now(self) -> int:
        return int(self.nodes[A].clock.seconds() * 1000)

    def message(self, words: str = "hi", **more: Any) -> dict[str, Any]:
        return {"sent": self.now, "body": {"kind": "text", "text": words}, **more}
