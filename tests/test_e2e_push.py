"""A device sleeps, is written to, is woken: a real node, and APNs as Apple describes it, over TLS."""

import json
import time
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.e2e.apple import SECRET, Apple
from tests.e2e.node_process import PATIENCE, NodeProcess
from tests.e2e.people import connect, pair
from tests.e2e.wire import RawClient

TOKEN = "5a" * 32
TEXT = "meet me at the harbour"


class PushCase(SynchronousTestCase):
    """ann is online, and writes to ben, who is away."""

    def setUp(self) -> None:
        self.apple = Apple()
        self.addCleanup(self.apple.__exit__)
        self.node = NodeProcess(more=self.apple.settings)
        self.addCleanup(self.node.close)
        self.node.start()
        self.node.set_secret(SECRET, self.apple.key)
        self.ann, self.at_ann, self.ben, at_ben, self.chat = pair(self.node, "ann", "ben")
        self.addCleanup(self.at_ann.close)
        at_ben.close()
        self.written = 0
        at_ben = self.come(None)
        [entry] = at_ben.call("device.list")["devices"]
        self.device = entry["device"]
        offered = at_ben.call("push.providers")["providers"]
        self.assertEqual([(one["name"], one["kind"]) for one in offered], [("apple", "apns")])
        at_ben.call("push.set", provider="apple", token=TOKEN)
        self.leave(at_ben)

    def come(self, since: str | None) -> RawClient:
        """ben connects; without `since` he has seen everything there is."""
        client = connect(self.node)
        opened = client.call("session.resume", token=self.ben.token, since=since)
        if since is None:
            self.reached: str = opened["cursor"]
        return client

    def leave(self, client: RawClient) -> None:
        """Disconnect, having acknowledged everything, and wait until the node has noticed."""
        client.call("session.ack", cursor=self.reached)
        client.close()
        self.until(lambda: self.counted("connections") == 1)

    def counted(self, what: str) -> int:
        code, said = self.node.admin("status", "--json")
        self.assertEqual(code, 0, said)
        count: int = json.loads(said)[what]
        return count

    def until(self, happened: Any) -> None:
        deadline = time.monotonic() + PATIENCE
        while not happened():
            self.assertLess(time.monotonic(), deadline, self.node.logged()[-2000:])
            time.sleep(0.02)

    def write(self) -> None:
        self.written += 1
        body = {"kind": "text", "text": TEXT}
        self.at_ann.call("chat.send", chat=self.chat, client_id=f"m{self.written}", body=body)

    def read(self, count: int) -> RawClient:
        """ben comes, and gets so many messages."""
        client = self.come(self.reached)
        for _ in range(count):
            message = client.event("chat.message")
            self.assertEqual(message["body"]["text"], TEXT)
            self.reached = message["id"]
        return client

    def taken(self, count: int) -> dict[str, Any]:
        return self.apple.until(lambda state: state["requests"] >= count)

    def wakes(self, outcome: str) -> int:
        code, said = self.node.admin("push", "--json")
        self.assertEqual(code, 0, said)
        [row] = json.loads(said)["providers"]
        count: int = row["counts"].get(outcome, 0)
        return count


class PushTests(PushCase):
    def test_woken_once(self) -> None:
        """Three messages are one wake, blind; he comes, has all, goes, and is woken again, once."""
        for _ in range(3):
            self.write()
        last = self.taken(1)["last"]
        self.assertEqual((last["status"], last["headers"][":path"]), (200, f"/3/device/{TOKEN}"))
        shown = json.dumps(last)
        for secret in (self.ann.account, self.ben.account, self.chat, self.device, "harbour", "ann", "ben"):
            self.assertNotIn(secret, shown)
        first = last["body"]
        self.leave(self.read(3))
        self.assertEqual((self.apple.tell()["requests"], self.wakes("taken")), (1, 1))
        for _ in range(2):
            self.write()
        again = self.taken(2)
        self.assertEqual(again["last"]["body"], first)
        self.until(lambda: self.wakes("taken") == 2)
        self.assertEqual(self.apple.tell()["requests"], 2)

    def test_connected(self) -> None:
        """Whoever is there is not woken."""
        client = self.come(self.reached)
        self.write()
        self.reached = client.event("chat.message")["id"]
        self.leave(client)
        self.assertEqual(self.apple.tell()["requests"], 0)

    def test_stopped_meanwhile(self) -> None:
        """A node that is stopped while Apple does not answer ends in order, and wakes him once it is back."""
        self.apple.tell(stall=True)
        self.write()
        self.apple.until(lambda state: state["held"] == 1)
        self.at_ann.close()
        self.node.stop()
        self.assertNotIn("Unhandled", self.node.logged())
        self.apple.tell(stall=False, forget=None)
        self.node.start()
        self.assertEqual(self.taken(1)["last"]["status"], 200)
        self.read(1).close()

    def test_dead(self) -> None:
        """An address that is no more is forgotten: the client hears of it when it comes."""
        self.apple.tell(answers={TOKEN: {"reason": "Unregistered", "timestamp": 4102444800000}})
        self.write()
        self.until(lambda: self.wakes("dead") == 1)
        with self.read(1) as client:
            self.until(lambda: client.call("push.get")["provider"] is None)
        code, said = self.node.admin("push", "test", self.device)
        self.assertEqual((code, "registered with no push provider" in said), (1, True), said)

    def test_operator(self) -> None:
        """`push test` says what the provider says; nothing that it prints, nor the log, has the address."""
        for reason, code, words in (
            (None, 0, "apple has taken the wake."),
            ("TooManyRequests", 4, "apple does not take it now: "),
            ("InvalidProviderToken", 4, "apple refuses it: "),
            ("Unregistered", 4, "apple knows this address no more: "),
        ):
            self.apple.tell(always=None if reason is None else {"reason": reason})
            found, said = self.node.admin("push", "test", self.device)
            self.assertEqual((found, said.startswith(words)), (code, True), said)
            self.assertNotIn(TOKEN, said)
        for device in ("nobody", self.device[:-1], "x" * 64, "\N{SNOWMAN}"):
            self.assertEqual(
                self.node.admin("push", "test", device), (1, "safeum-home: There is no such device.")
            )
        code, said = self.node.admin("push", "metrics")
        self.assertEqual(code, 0)
        self.assertIn('safeum_push_wakes_total{provider="apple",outcome="taken"} 0', said)
        self.assertNotIn(TOKEN, self.node.logged())

    def test_no_credentials(self) -> None:
        """Without its key nobody is asked; the operator sees why, and hears an alarm once."""
        code, _ = self.node.admin("secret", "delete", SECRET)
        self.assertEqual(code, 0)
        self.write()
        self.until(lambda: self.wakes("refused") == 1)
        code, said = self.node.admin("push")
        self.assertIn(f"no secret {SECRET} in the store", said)
        self.assertEqual(self.node.logged().count("ALARM: push provider apple"), 1)
        self.assertEqual(self.apple.tell()["connections"], 0)
