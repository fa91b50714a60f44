"""Nobody writes to an account without its consent but the node, and the node's operator only answers."""

import re
from collections.abc import Iterator
from typing import Any, get_args

import msgspec
from hypothesis import given, settings
from msgspec import Struct, inspect
from twisted.internet.defer import maybeDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from safeum_home import ids
from safeum_home.admin.commands import Handler
from safeum_home.client.words.names import folded
from safeum_home.config import parse
from safeum_home.ids import ACCOUNT_PATTERN, CHAT_PATTERN, AccountId
from safeum_home.node.operation import Backups, handlers
from safeum_home.node.service import Node
from safeum_home.protocol.commands import COMMANDS, ChatSend, MessageEdit, Phase
from safeum_home.protocol.files import File
from safeum_home.protocol.types import Body, LoginAlert, Secure, Text
from safeum_home.sealing.hardening import Hardening
from tests.support_case import SupportCase
from tests.values import values
from tests.world import CONSENT, Client, Refused, World
from tests.world_parts import arena

BODIES_OF_ACCOUNTS = {Text, File, Secure}
"""What accounts may write to each other. All else that a message can hold is the node's."""


def fields(kind: inspect.Type, name: str = "") -> Iterator[tuple[str, inspect.Type]]:
    """All fields of a struct, those of structs in it too, with their names."""
    match kind:
        case inspect.StructType(fields=inner):
            for field in inner:
                yield from fields(field.type, field.encode_name)
        case inspect.Metadata(type=inner):
            yield from fields(inner, name)
        case inspect.UnionType(types=kinds):
            for each in kinds:
                yield from fields(each, name)
        case inspect.ListType(item_type=item):
            yield from fields(item, f"{name}[]")
        case _:
            yield name, kind


def examples(kind: type[Struct], count: int) -> list[Any]:
    """Some values that the parameters of a command may have, as JSON has them."""
    found: list[Any] = []

    @settings(max_examples=count, database=None, derandomize=True, deadline=None)
    @given(values(kind))
    def take(value: Struct) -> None:
        found.append(msgspec.to_builtins(value))

    take()
    return found


def with_ids(value: Any, whose: dict[str, list[str]], turn: int) -> Any:
    """The same parameters with ids of somebody who exists, where they have any."""
    if isinstance(value, dict):
        return {key: with_ids(each, whose, turn) for key, each in value.items()}
    if isinstance(value, list):
        return [with_ids(each, whose, turn) for each in value]
    for pattern, chosen in whose.items():
        if isinstance(value, str) and re.match(pattern, value):
            return chosen[turn % len(chosen)]
    return value


class CommandTests(SupportCase):
    """What a stranger can reach with all commands that there are."""

    def test_one_command_writes(self) -> None:
        """Only `chat.send` takes the body of a message, and `message.edit` one for a message of one's own."""
        takes = [
            command.params for command in COMMANDS.values() if "body" in command.params.__struct_fields__
        ]
        self.assertEqual(takes, [ChatSend, MessageEdit])

    def test_every_body_but_those_of_accounts_is_the_nodes(self) -> None:
        """No account writes a login alert, or what else the node will write."""
        bob = self.world.register("bob")
        chat = self.world.befriend(self.alice, bob)
        kinds = get_args(Body)
        self.assertIn(LoginAlert, kinds)
        for kind in kinds:
            if kind in BODIES_OF_ACCOUNTS:
                continue
            for body in examples(kind, 3):
                refusal = self.assertRaises(
                    Refused, bob.call, "chat.send", chat=chat, client_id="1", body=body
                )
                self.assertEqual(refusal.code, "invalid_params")
        self.assertEqual(self.alice.take("chat.message"), [])

    def test_a_stranger_with_every_command(self) -> None:
        """Whatever a stranger sends, with the ids of others in it, no message comes and none is stored."""
        bob, eve = self.world.register("bob"), self.world.register("eve")
        friends = self.world.befriend(self.alice, bob)
        self.alice.write(self.chat, "help")
        registry = self.world.domain.registry
        alice = AccountId(self.alice.account)
        made = self.alice.call("group.create", client_id="g", name="ours", invite=[bob.account])
        group = made["chat"]["chat"]
        bob.call("group.accept", chat=group)
        chats = [
            friends,
            group,
            self.chat,
            registry.system_chat(alice),
            ids.direct_chat_id(alice, AccountId(eve.account)),
        ]
        node = self.alice.account.partition(":")[2]
        accounts = [alice, bob.account, ids.system_account(node), ids.support_account(node)]
        whose = {CHAT_PATTERN: chats, ACCOUNT_PATTERN: accounts}
        stored = self.seen_by(self.alice, bob)
        for client in (self.alice, bob):
            client.take()
        tried = 0
        for method, command in COMMANDS.items():
            if command.phase is not Phase.OPEN or method in ("session.logout", "account.password"):
                continue
            for turn, params in enumerate(examples(command.params, 12)):
                eve.ask(method, **with_ids(params, whose, turn))
                tried += 1
        self.world.settle()
        self.assertGreater(tried, len(COMMANDS))
        self.assertEqual(self.alice.take("chat.message"), [])
        self.assertEqual(bob.take("chat.message"), [])
        # Groups of its own are its own matter: nobody else is in them.
        self.assertEqual(self.seen_by(self.alice, bob), stored)
        self.assertEqual(self.alice.take("group.invited", "group.member"), [])

    def seen_by(self, *clients: Client) -> int:
        """The number of messages in chats of these."""
        blinds = [self.world.vault.blinder.account(AccountId(client.account)) for client in clients]
        query = "SELECT count(*) FROM events WHERE chat IN (SELECT chat FROM members WHERE account IN (?, ?))"
        return int(self.world.database.now(lambda c: c.exec_driver_sql(query, tuple(blinds)).scalar_one()))

    def test_the_chat_with_the_node(self) -> None:
        """No one writes as, or into the chat of, the system contact; it is not made a contact either."""
        chat = self.world.domain.registry.system_chat(AccountId(self.alice.account))
        self.assertEqual(self.assertRaises(Refused, self.alice.write, chat, "x").code, "not_a_contact")
        node = self.alice.account.partition(":")[2]
        for contact in (ids.system_account(node), ids.support_account(node)):
            self.alice.call("contact.request", account=contact, address="safeum@home.example")
        self.alice.write(self.chat, "help")
        self.assertEqual(self.alice.history(self.chat), ["help"])
        self.assertEqual(self.assertRaises(Refused, self.alice.write, chat, "x").code, "not_a_contact")


class NameTests(SynchronousTestCase):
    """Nobody is called as the node's contacts are."""

    def test_reserved(self) -> None:
        """The names, and what looks like them, are taken for everybody."""
        for name in (
            *ids.RESERVED_USERNAMES,
            *("safeum_support", "safeum.support", "safeumsupport", "5afeum", "saf3um", "safeurn", "safevm"),
            *(
                "supp0rt",
                "s-u-p-p-o-r-t",
                "adm1n",
                "r00t",
                "the-safeum-team",
                "safeum-help",
                "4buse",
                "sys.safeum",
            ),
        ):
            self.assertTrue(ids.is_reserved(name), name)
        world = World()
        client = Client(world)
        device = {"name": "a", "system": "b"}
        for name in ("SafeUM-Support", "supp0rt", "safeurn"):
            params: dict[str, Any] = {"username": name, "password": "correct horse battery", "device": device}
            params["consent"] = CONSENT
            self.assertEqual(
                self.assertRaises(Refused, client.call, "account.register", **params).code, "username_taken"
            )

    def test_free(self) -> None:
        """All others are free."""
        for name in ("ann", "bob", "supporter", "root-beer", "administrate", "safe", "sam", "abused"):
            self.assertFalse(ids.is_reserved(name), name)

    def test_names_that_are_shown(self) -> None:
        """Names of other scripts that are read the same come down to the same."""
        for name in (
            "SafeUM Support",
            "S\u0430feUM  Supp\u043ert",
            "SAFEUM-SUPPORT",
            "Safe UM",
            "\uff33afeum",
        ):
            self.assertTrue(ids.is_reserved(folded(name)), name)


class OperatorTests(SupportCase):
    """What the operator can reach with all commands of the admin socket."""

    def setUp(self) -> None:
        super().setUp()
        config = parse('[node]\nname = "home.example"\nstate_dir = "/nowhere"')
        node = Node(Clock(), config, arena(), Hardening(True, True), in_memory=True)
        node.domain = self.world.domain
        node.database = self.world.database  # type: ignore[assignment]  # it is as good as one
        self.handlers = handlers(node, Backups(node, None))
        self.bob, self.carol = self.world.register("bob"), self.world.register("carol")
        self.people = [self.alice, self.bob, self.carol]
        for person in self.people:
            person.take()
        for person in (self.alice, self.bob):
            person.write(self.support_of(person), "help")

    def _carry_out(self, handler: Handler, params: Any) -> object:
        """Carry out a command; what it refuses or fails with is of no matter here."""
        try:
            given = msgspec.convert(params, handler.params)
        except msgspec.ValidationError as error:
            return error
        outcome: list[object] = []
        maybeDeferred(handler.call, given).addBoth(outcome.append)
        return outcome[0] if outcome else None

    def test_no_command_reaches_two(self) -> None:
        """Each writes to one account at the most, and only to one that has written first."""
        wrote: set[str] = set()
        names = [person.address.partition("@")[0] for person in self.people]
        for method, handler in self.handlers.items():
            for turn, params in enumerate(examples(handler.params, 8)):
                if "account" in params:
                    params["account"] = [*names, *(person.account for person in self.people)][turn % 6]
                before = self.stored()
                self._carry_out(handler, params)
                reached = [person for person in self.people if person.take("chat.message")]
                self.assertLessEqual(len(reached), 1, method)
                self.assertLessEqual(self.stored() - before, len(reached), method)
                self.assertNotIn(self.carol, reached, method)
                wrote |= {method} if reached else set()
        self.assertEqual(wrote, {"support.reply"})

    def test_no_command_takes_a_list_of_accounts(self) -> None:
        """Nor has any a way to say "all"."""
        for method, handler in self.handlers.items():
            for name, _ in fields(inspect.type_info(handler.params)):
                self.assertFalse(name.endswith("[]") and "account" in name, f"{method}: {name}")
        reply = self.handlers["support.reply"].params
        self.assertEqual(reply.__struct_fields__, ("account", "text"))

    def test_the_answer_goes_where_it_was_asked(self) -> None:
        """Into that one chat: nobody else is told, or finds anything."""
        self._carry_out(self.handlers["support.reply"], {"account": "alice", "text": "for alice"})
        self.assertEqual([m["body"]["text"] for m in self.alice.messages()], ["for alice"])
        for person in (self.bob, self.carol):
            self.assertEqual(person.take("chat.message"), [])
            found = str(person.call("chat.list"))
            self.assertNotIn("for alice", found)
