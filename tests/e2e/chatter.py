"""Two people who chat quietly, one message at a time, whatever happens around them."""

import threading
import time

from tests.e2e.node_process import NodeProcess
from tests.e2e.people import pair

ADDRESS = "127.0.0.2"


class Chatter:
    """A pair at an address of its own. `stop` raises where anything was not as it should be."""

    def __init__(self, node: NodeProcess, name: str) -> None:
        _, self._first, _, self._second, self._chat = pair(node, f"{name}.a", f"{name}.b", source=ADDRESS)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._talk, daemon=True)
        self._failure: BaseException | None = None
        self.messages = 0
        self.slowest = 0.0
        """Seconds from sending a message to having it on the other side, at worst."""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()
        self._first.close()
        self._second.close()
        if self._failure is not None:
            raise AssertionError("the well-behaved pair was disturbed") from self._failure

    def _talk(self) -> None:
        try:
            while not self._stopping.is_set() or not self.messages:
                self._say(f"message {self.messages}")
                self.messages += 1
                time.sleep(0.01)
        except BaseException as failure:
            self._failure = failure

    def _say(self, text: str) -> None:
        began = time.monotonic()
        body = {"kind": "text", "text": text}
        sent = self._first.call("chat.send", chat=self._chat, client_id=text, body=body)
        heard = self._second.event("chat.message")
        if heard["id"] != sent["id"] or heard["body"] != body:
            raise AssertionError(f"{text} is not what was heard: {heard}")
        self._second.call("session.ack", cursor=heard["id"])
        self._first.events.clear()
        self.slowest = max(self.slowest, time.monotonic() - began)
