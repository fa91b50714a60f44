"""Five people at three nodes write, edit, delete, react and pin in one group, while nodes come and go.

Afterwards the group is the same everywhere, in one order; nothing that was acknowledged is lost or doubled,
and what each has written stands in its order. Devices that were told live, and those that were away, show
the same.
"""

from collections.abc import Callable
from random import Random
from typing import Any

from tests.groups_across_case import A, B, C
from tests.posts_case import PostsCase
from tests.world import Client, Refused

STEPS = 60
LIVES = 12


class Screen:
    """What a device shows of the group, by what it is told alone."""

    def __init__(self, client: Client, chat: str) -> None:
        self.client = client
        self.chat = chat
        self.messages: dict[str, dict[str, Any]] = {}
        self.waiting: dict[str, dict[str, Any]] = {}
        self.refused: list[tuple[str, str]] = []

    def sent(self, answer: dict[str, Any], words: str) -> None:
        """What the device itself has sent was answered."""
        message = {"id": answer["id"], "body": {"kind": "text", "text": words}}
        if "waiting" not in answer:
            self.messages.setdefault(answer["id"], message)
        elif not any(each.get("origin") == answer["id"] for each in self.messages.values()):
            self.waiting[answer["id"]] = message

    def take(self) -> None:
        for event in self.client.take():
            params = event["params"]
            if event["method"] == "chat.message" and params["chat"] == self.chat:
                self.messages[params["id"]] = params
                self.waiting.pop(params.get("origin", ""), None)
            elif event["method"] == "chat.changed" and params["message"]["chat"] == self.chat:
                self.messages[params["message"]["id"]] = params["message"]
            elif event["method"] == "chat.post" and params["chat"] == self.chat:
                self._post(params)
            if "cursor" in params:
                self.client.cursor = params["cursor"]

    def _post(self, params: dict[str, Any]) -> None:
        if "code" in params:
            self.waiting.pop(params["post"], None)
            self.refused.append((params["post"], params["code"]))
        elif "message" in params:
            self.waiting[params["post"]] = params["message"]

    @property
    def words(self) -> list[str]:
        return [_words(message) for message in self.messages.values()]


def _words(message: dict[str, Any]) -> str:
    body = message["body"]
    return str(body.get("text") or body.get("action") or body["kind"])


class ConvergenceTests(PostsCase):
    """Each life is given by a number."""

    def test_converge(self) -> None:
        """In all of them."""
        for seed in range(LIVES):
            if seed:
                self.setUp()
            try:
                self._live(Random(seed))
            except Exception as error:
                raise AssertionError(f"life {seed}") from error

    def _live(self, random: Random) -> None:
        self.random = random
        self.alice.call("group.role", chat=self.chat, account=self.bob.account, role="admin")
        self.settle()
        other = self.nodes[B].login("bob")
        for client in (*self.everybody, other):
            client.take()
        self.screens = [Screen(client, self.chat) for client in (*self.everybody, other)]
        for screen in self.screens:
            for message in self.page(screen.client):
                screen.messages[message["id"]] = message
        self.begun: list[tuple[Client, int, str]] = []
        """Commands that are not answered yet, and the words of those that send."""
        self.said: dict[str, list[str]] = {client.account: [] for client in self.everybody}
        acts: list[Callable[[], None]] = [
            self._write,
            self._write,
            self._write,
            self._edit,
            self._delete,
            self._withdraw,
            self._react,
            self._react,
            self._pin,
            self._come_and_go,
            self._carry,
            self._carry,
            self._carry,
            self._patience,
            self._restart,
        ]
        for _ in range(STEPS):
            random.choice(acts)()
            self._answers()
        self.nodes.away.clear()
        self.settle()
        for name in (A, B, C):
            self.nodes[name].settle(3)
        self.settle()
        self._answers()
        self._check()

    # --- what happens

    def _person(self) -> Client:
        return self.random.choice(self.everybody)

    def _write(self) -> None:
        person = self._person()
        words = f"{person.address[0:2]} {len(self.said[person.account])}"
        page = [m for m in self.page(person) if m["body"]["kind"] == "text"]
        more = {"reply_to": self.random.choice(page)["id"]} if page and self.random.random() < 0.3 else {}
        params = person.message(self.chat, words, words) | more
        self.said[person.account].append(words)
        self.begun.append((person, person.ask("chat.send", **params), words))

    def _message(self, person: Client, own: bool) -> str | None:
        page = [m for m in self.page(person) if m["body"]["kind"] == "text"]
        page = [m for m in page if m["sender"] == person.account] if own else page
        return str(self.random.choice(page)["id"]) if page else None

    def _about(self, person: Client, method: str, message: str | None, **more: Any) -> None:
        if message is not None:
            command = person.ask(method, chat=self.chat, message=message, **more)
            self.begun.append((person, command, ""))

    def _edit(self) -> None:
        person = self._person()
        message = self._message(person, True)
        if message is not None:
            before = next(m["body"]["text"] for m in self.page(person) if m["id"] == message)
            words = {"kind": "text", "text": before.partition("!")[0] + "!" * self.random.randrange(1, 9)}
            self._about(person, "message.edit", message, body=words)

    def _delete(self) -> None:
        person = self._person()
        own = person not in (self.alice, self.bob)
        self._about(person, "message.delete", self._message(person, own))

    def _withdraw(self) -> None:
        """Somebody deletes what waits."""
        person = self.random.choice((self.bob, self.ben, self.carol))
        waiting = person.call("chat.history", chat=self.chat).get("waiting", [])
        if waiting:
            message = self.random.choice(waiting)
            self.withdrawn.add(message["body"]["text"])
            person.call("message.delete", chat=self.chat, message=message["id"])

    def _react(self) -> None:
        person = self._person()
        emoji = self.random.choice(["👍", "🎉", None])
        self._about(person, "message.react", self._message(person, False), emoji=emoji)

    def _pin(self) -> None:
        person = self.random.choice((self.alice, self.bob))
        method = self.random.choice(("chat.pin", "chat.unpin"))
        self._about(person, method, self._message(person, False))

    def _come_and_go(self) -> None:
        name = self.random.choice((A, B, C))
        self.nodes.away.symmetric_difference_update({name})

    def _carry(self) -> None:
        """What waits at one node goes its way."""
        name = self.random.choice((A, B, C))
        if name not in self.nodes.away:
            self.nodes._carry(name)

    def _patience(self) -> None:
        self.nodes[self.random.choice((A, B, C))].settle(self.random.choice((0.5, 3.0)))

    def _restart(self) -> None:
        if self.random.random() < 0.5:
            return
        name = self.random.choice((A, B, C))
        for screen in self.screens:
            screen.take()
        self.nodes.restart(name)
        moved = {}
        for screen in self.screens:
            if screen.client.account.endswith(f":{name}"):
                back = self.back(screen.client)
                moved[screen.client] = back
                screen.client = back
        people = [moved.get(client, client) for client in self.everybody]
        self.alice, self.amy, self.bob, self.ben, self.carol = people
        self.everybody = (self.alice, self.amy, self.bob, self.ben, self.carol)
        # What was not answered by then is on disk all the same, or was never there.
        self.begun = [begun for begun in self.begun if begun[0] not in moved]

    # --- what comes of it

    def _answers(self) -> None:
        left = []
        for person, command, words in self.begun:
            try:
                answer = person.answer(command)
            except Refused as refused:
                codes = ("message_gone", "not_permitted", "too_many_pins")
                self.assertIn(refused.code, codes)
                continue
            if answer is None:
                left.append((person, command, words))
            elif words:
                next(screen for screen in self.screens if screen.client is person).sent(answer, words)
        self.begun = left

    def setUp(self) -> None:
        super().setUp()
        self.withdrawn: set[str] = set()

    def _check(self) -> None:
        self.assertEqual(self.begun, [])
        for name in (A, B, C):
            self.assertEqual(self.nodes.peers[name].waiting, [])
        group = self.all_alike()
        for name in (B, C):
            self.assertEqual(self.waiting_rows(name), 0)
        for client in self.everybody:
            # What was said is there, once, and in its order: deleted ones keep their place.
            mine = [each[2] for each in group if each[0] == client.account]
            said = self.said[client.account]
            withdrawn = self.withdrawn & {*said}
            self.assertTrue(len(said) - len(withdrawn) <= len(mine) <= len(said), client.address)
            texts = [each["text"].partition("!")[0] for each in mine if each["kind"] == "text"]
            self.assertEqual(texts, [words for words in said if words in texts])
            self.assertFalse(withdrawn & {*texts})
            if not withdrawn:
                for each, words in zip(mine, said, strict=True):
                    self.assertEqual(each.get("text", words).partition("!")[0], words)
        pins = {tuple(self.pins(client)) for client in self.everybody}
        self.assertEqual(len(pins), 1)
        for screen in self.screens:
            screen.take()
            self.assertEqual(screen.waiting, {})
            page = self.page(screen.client)
            self.assertEqual(sorted(screen.words), sorted(map(_words, page)))
            self.assertEqual(set(screen.messages), {message["id"] for message in page})

    def waiting_rows(self, name: str) -> int:
        """Posts that are neither over nor refused."""
        query = "SELECT count(*) FROM posts WHERE state <> 3"
        return int(self.nodes[name].database.now(lambda c: c.exec_driver_sql(query).scalar_one()))

    def pins(self, client: Client) -> list[str]:
        pinned = client.call("chat.pinned", chat=self.chat)["messages"]
        return [message["body"]["text"] for message in pinned]
