"""People who write to each other as fast as they can, and who remember exactly what they were told."""

import threading
import time
from collections import Counter
from typing import Any

from tests.e2e.node_process import NodeProcess
from tests.e2e.people import Person, pair, resume
from tests.e2e.wire import Ended, RawClient, Refused

WINDOW = 8
"""Messages that one has under way."""
COME_BACK = (1012, 1013)
"""Close codes after which one resumes: the node restarts, or found changes that nobody was told of; later."""
_PADDING = "." * 150


class Talker:
    """One side of a chat. It holds what a client must to lose nothing: its cursor, and what is unanswered.

    Messages are numbered from 0. `acknowledged` has the id that the node answered each with, `heard` the
    numbers and ids of the other side's, in the order in which they came.
    """

    def __init__(self, person: Person, chat: str) -> None:
        self.person = person
        self.chat = chat
        self.acknowledged: dict[int, str] = {}
        self.unanswered: dict[int, float] = {}
        """When each was sent last."""
        self.heard: list[tuple[int, str]] = []
        self.refused: list[Refused] = []
        self.cursor = person.cursor
        self.progress = threading.Event()
        """Something was acknowledged since this was cleared."""
        self.finishing = threading.Event()
        """Write nothing new; come to an end when everything is answered and `expected` were heard."""
        self.expected: int | None = None
        self._next = 0
        self._paused = 0.0

    @property
    def written(self) -> int:
        """How many messages there are, acknowledged or not."""
        return self._next

    def begin(self) -> int:
        """The number of a new message."""
        self._next += 1
        return self._next - 1

    def run(self, node: NodeProcess) -> None:
        """Come back, send what was not acknowledged once more, go on; until the node ends."""
        while not self._finished():
            try:
                self._session(node)
            except ConnectionError as ended:
                if node.ending:
                    return
                if not (isinstance(ended, Ended) and ended.code in COME_BACK):
                    raise
                time.sleep(1)
            except Refused as refused:
                if not refused.retry_after:
                    raise
                self.refused.append(refused)
                time.sleep(refused.retry_after)

    def _session(self, node: NodeProcess) -> None:
        with resume(node, self.person, self.cursor) as client:
            for number in list(self.unanswered):
                self._send(client, number)
            while not self._finished():
                self._write(client)
                self._take(client, client.read())

    def listen(self, node: NodeProcess) -> None:
        """Come back and only hear what was missed."""
        with resume(node, self.person, self.cursor) as client:
            while True:
                event = client.read()
                self._take(client, event)
                if event.get("method") == "session.synced":
                    return

    def _finished(self) -> bool:
        return (
            self.finishing.is_set()
            and not self.unanswered
            and self.expected is not None
            and len(self.heard) >= self.expected
        )

    def _write(self, client: RawClient) -> None:
        while len(self.unanswered) < WINDOW and not self.finishing.is_set():
            self._send(client, self.begin())

    def _send(self, client: RawClient, number: int) -> None:
        self.unanswered[number] = time.monotonic()
        body = {"kind": "text", "text": f"{number} {_PADDING}"}
        params = {"chat": self.chat, "client_id": f"m{number}", "body": body}
        client.send(id=number, method="chat.send", params=params)

    def _take(self, client: RawClient, frame: dict[str, Any]) -> None:
        if "result" in frame:
            number = frame["id"]
            del self.unanswered[number]
            self.acknowledged[number] = frame["result"]["id"]
            self.progress.set()
        elif "error" in frame:
            self._again(client, frame)
        elif frame["method"] == "chat.message":
            message = frame["params"]
            self.cursor = message["id"]
            if message["sender"] != self.person.account and message["chat"] == self.chat:
                self.heard.append((number_of(message), message["id"]))
                if len(self.heard) % 50 == 0:
                    client.send(method="session.ack", params={"cursor": self.cursor})
        elif "cursor" in frame["params"]:
            self.cursor = frame["params"]["cursor"]

    def _again(self, client: RawClient, frame: dict[str, Any]) -> None:
        """A refused message is sent again when the node says that it may be."""
        refused = Refused(frame["error"])
        if not refused.retry_after:
            raise refused
        self.refused.append(refused)
        # What was under way at the same time comes back refused as well, and has waited with it.
        if self.unanswered[frame["id"]] > self._paused:
            time.sleep(refused.retry_after)
            self._paused = time.monotonic()
        self._send(client, frame["id"])


def number_of(message: dict[str, Any]) -> int:
    return int(message["body"]["text"].split()[0])


def talkers(node: NodeProcess, pairs: int) -> list[tuple[Talker, Talker]]:
    """Pairs of new people on a node."""
    made = []
    for index in range(pairs):
        a, at_a, b, at_b, chat = pair(node, f"left{index}", f"right{index}")
        for client in (at_a, at_b):
            client.close()
        made.append((Talker(a, chat), Talker(b, chat)))
    return made


def faults(messages: list[dict[str, Any]], left: Talker, right: Talker, in_order: bool = True) -> list[str]:
    """What is wrong with a chat that holds `messages`, by what its two sides remember: an empty list, please.

    It may have lost or doubled some, have them out of order or under other ids than were acknowledged,
    or have told the other side less, more or in another order.
    """
    found: list[str] = []
    for sender, recipient in ((left, right), (right, left)):
        kept = [
            (number_of(message), message["id"])
            for message in messages
            if message["sender"] == sender.person.account
        ]
        numbers = Counter(number for number, _ in kept)
        name = sender.person.username
        lost = sorted(sender.acknowledged.items() - set(kept))
        found += [f"{name}'s {number} was acknowledged and is not there" for number, _ in lost]
        found += [
            f"{name}'s {number} is there {count} times" for number, count in numbers.items() if count > 1
        ]
        found += [f"{name}'s {number} was never written" for number in numbers if number >= sender.written]
        if in_order and list(numbers) != sorted(numbers):
            found.append(f"{name}'s messages are out of order")
        if recipient.heard != kept:
            heard = len(recipient.heard)
            found.append(f"{name}'s {len(kept)} messages are not the {heard} that were heard of")
    return found
