"""What other nodes have erased, in the terminal client, and their receipts under `safeum verify-receipt`."""

import json
from pathlib import Path
from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.words.receipts import AUTHENTIC, FALSE, UNKNOWN_KEY, UNREADABLE, verify
from safeum_home.ids import AccountId, ChatId
from safeum_home.protocol.events import ChatUpdated
from safeum_home.protocol.federation.events import new_event, sign_event
from safeum_home.protocol.types import ChatInfo
from tests.client_desk import DeskTestCase
from tests.client_double import CHAT, cursor
from tests.federation import NOW, document, signer
from tests.test_client_history import RECEIPT

BEN = AccountId("@" + "b" * 26 + ":b.example")
AT = NOW * 1000


def signed(number: int = 1, at: int = AT, kind: str = "chat.erased", **content: Any) -> dict[str, Any]:
    """The receipt of Ben's node, under its key of this number."""
    about = {"life": [1, 0], "epoch": 7, **content}
    event = new_event(kind, BEN, at, about, ChatId(CHAT))
    octets = sign_event(event, f"ed25519:{number}", signer(number))
    return json.loads(octets)  # type: ignore[no-any-return]


class VerifyTests(SynchronousTestCase):
    def file(self, content: bytes) -> Path:
        path = Path(self.mktemp()).absolute()
        path.write_bytes(content)
        return path

    def check(self, receipt: dict[str, Any], keys: bytes | None = None) -> tuple[int, str]:
        """The exit status, and what is said; the file has white space, as a person would keep it."""
        saved = self.file(json.dumps(receipt, indent=2).encode())
        given = None if keys is None else str(self.file(keys))
        status, words = verify(saved, given)
        return status, " ".join(words)

    def test_authentic(self) -> None:
        """With what the node publishes of its keys, however long ago that was."""
        status, words = self.check(signed(), document() + b"\n")
        self.assertEqual(status, AUTHENTIC, words)
        for part in ("b.example", CHAT, "epoch 7", "ed25519:1", "15 Jun 2025"):
            self.assertIn(part, words)

    def test_group(self) -> None:
        """Of a group each copy has one; what is not of the form of its type is no receipt."""
        status, words = self.check(signed(kind="group.erased", life=AT), document())
        self.assertEqual(status, AUTHENTIC, words)
        self.assertIn(CHAT, words)
        for kind, life in (("group.erased", [1, 0]), ("chat.erased", AT), ("group.history", AT)):
            self.assertNotEqual(self.check(signed(kind=kind, life=life), document())[0], AUTHENTIC, kind)

    def test_old_keys(self) -> None:
        """A key that was replaced since then counts for what is from its time, and for nothing later."""
        later = document(number=2, old={1: AT + 1})
        self.assertEqual(self.check(signed(), later)[0], AUTHENTIC)
        self.assertEqual(self.check(signed(at=AT + 1), later)[0], FALSE)

    def test_false(self) -> None:
        """Whatever was changed in it, or if it was signed with another key."""
        good = signed()
        self.assertEqual(self.check(signed(2), document())[0], FALSE)
        forged = signed(2)
        [mark] = forged["signatures"]["b.example"].values()
        forged["signatures"] = {"b.example": {"ed25519:1": mark}}
        self.assertEqual(self.check(forged, document())[0], FALSE)
        for name, value in (
            ("at", AT + 1),
            ("chat", "!" + "x" * 26),
            ("content", {"life": [2, 0], "epoch": 7}),
            ("sender", "@" + "c" * 26 + ":b.example"),
        ):
            self.assertEqual(self.check(good | {name: value}, document())[0], FALSE, name)

    def test_no_keys(self) -> None:
        """Without the node's keys nothing is checked; other nodes' are none, nor is a fingerprint."""
        status, words = self.check(signed())
        self.assertEqual(status, UNKNOWN_KEY)
        self.assertIn("/_safeum/key/v1", words)
        for keys in (document("c.example"), b"{}", b"", b"\xff", b"[" * 100_000):
            self.assertEqual(self.check(signed(), keys)[0], UNREADABLE)
        path = self.file(json.dumps(signed()).encode())
        self.assertEqual(verify(path, "a" * 40)[0], UNREADABLE)
        self.assertEqual(verify(path, "/nowhere/at/all")[0], UNREADABLE)

    def test_no_receipt(self) -> None:
        """Other events are none, however well signed."""
        for receipt in (
            signed(kind="chat.history"),
            signed(epoch=0),
            signed(more=1),
            signed() | {"more": 1},
            {key: value for key, value in signed().items() if key != "chat"},
            signed() | {"node": "c.example"},
            signed() | {"signatures": {}},
            signed() | {"at": 1.5},
        ):
            self.assertEqual(self.check(receipt, document())[0], UNREADABLE, receipt)


class DeskTests(DeskTestCase):
    def begin(self) -> None:
        self.pending = ["b.example"]
        self.confirmed: list[dict[str, Any]] = []
        self.node.answers |= {
            "chat.history.set": lambda params: {"history": False, "receipt": RECEIPT, **self.across()},
            "chat.history.receipt": lambda params: {"receipt": RECEIPT, **self.across()},
        }
        super().begin()
        self.enter("/chat bob")

    def across(self) -> dict[str, Any]:
        return {"pending": self.pending, "confirmed": self.confirmed}

    def told(self, number: int, pending: tuple[str, ...]) -> None:
        info = ChatInfo(CHAT, "direct", False, cursor(60), pending=pending)
        self.wire.event(ChatUpdated(cursor(number), info))

    def words(self) -> str:
        return " ".join(self.body(columns=200).split())

    def test_pending(self) -> None:
        """It is said until the other node has confirmed it; then that is."""
        self.told(60, ("b.example",))
        self.assertIn("rased here; not yet confirmed by b.example.", self.words())
        self.assertIn("not yet confirmed by b.example", self.header())
        view = self.desk.state.chat(CHAT)
        assert view is not None
        self.assertEqual(view.pending, ("b.example",))
        self.told(61, ())
        self.assertIn("b.example has confirmed", self.words())
        self.assertNotIn("confirmed", self.header())

    def test_several(self) -> None:
        """Of a group there may be several nodes."""
        self.told(60, ("b.example", "c.example"))
        self.told(61, ())
        self.assertIn("b.example, c.example have confirmed", self.words())

    def test_again(self) -> None:
        """Who says it once more asks the other node once more."""
        self.told(60, ("b.example",))
        self.enter("/history off")
        self.assertEqual(self.params("chat.history.set"), [{"chat": CHAT, "enabled": False}])
        self.assertIn("Asked again: erased here; not yet confirmed by b.example.", self.words())
        self.told(61, ())
        self.enter("/history off")
        self.assertIn("off already", self.words())
        self.assertEqual(len(self.params("chat.history.set")), 1)

    def test_receipts(self) -> None:
        """Each node's is saved to a file of its own, with the line that checks it."""
        path = Path(self.mktemp()).absolute()
        self.enter(f"/receipt {path}")
        self.assertIn("not yet confirmed by b.example", self.words())
        other = path.with_name(path.name + ".b.example")
        self.assertFalse(other.exists())
        path.unlink()
        self.pending, self.confirmed = [], [signed()]
        self.enter(f"/receipt {path}")
        self.assertIn(f"safeum verify-receipt {other} --key b.example.keys.json", self.words())
        self.assertIn("https://b.example/_safeum/key/v1", self.words())
        keys = Path(self.mktemp()).absolute()
        keys.write_bytes(document())
        self.assertEqual(verify(other, str(keys))[0], AUTHENTIC)
        self.assertEqual(msgspec.json.decode(other.read_bytes()), signed())
