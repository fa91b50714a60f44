"""Both implementations take the same JSON, and read the same in it: else members see different things."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial
from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.secure import payloads, vault_room
from safeum_home.client.secure.payloads import Payload, Unknown
from safeum_home.client.secure.refused import Refused
from safeum_home.client.secure.strict_json import DEEPEST
from safeum_home.client.secure.vault_content import Content
from safeum_home.protocol.signing import encode_octets
from tests.secure_case import account
from tests.secure_javascript import Process
from tests.test_secure_vectors import VECTORS

HASH = encode_octets(bytes(range(32)))
STREAM = encode_octets(bytes(range(16)))
STRANGE: tuple[Any, ...] = (
    *(None, True, 0, 1, -1, 1.5, 2**53 - 1, 2**53, -(2**53), "", "x", [], {}, [None], {"x": 1}),
    *(HASH, HASH[:-1], HASH + "A", HASH[:-1] + "9", HASH + "\n", STREAM, STREAM[:-1] + "B", account(1)),
    *("x" * 300, "👋" * 4097, "x" * 8193, "\ud800", "\0", "@" + "a" * 26 + ":UPPER", "/x==", "A/A=", "AAA"),
)
"""In place of whatever stands somewhere."""
LONG = (3, 9, 41, 101)
"""How often lists, and members, are repeated."""
SAID: tuple[dict[str, Any], ...] = (
    {"kind": "text", "text": "x", "mentions": [account(1)], "reply": {"hash": HASH, "id": STREAM}},
    {"kind": "edit", "message": HASH, "text": "x", "mentions": []},
    {"kind": "reaction", "message": HASH, "emoji": "👍"},
    {"kind": "deletion", "messages": [HASH]},
    {
        **{"kind": "file", "file": "F" + "b" * 26, "key": HASH, "hash": HASH, "size": 1, "name": "a.ogg"},
        **{"type": "audio/ogg", "caption": "x", "preview": "AAAA", "width": 1, "height": 2},
        **{"voice": {"duration": 1, "wave": "AAA="}, "reply": {"hash": HASH}},
    },
    {"kind": "compare.start", "compare": STREAM, "to": account(1), "commitment": HASH},
    {"kind": "compare.answer", "compare": STREAM, "key": HASH},
    {"kind": "compare.reveal", "compare": STREAM, "key": HASH, "nonce": HASH},
    {"kind": "compare.done", "compare": STREAM, "same": True},
    {"kind": "poll", "text": "x"},
)


def places(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands, within a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in inner:
        yield (*before, name)
        yield from places(each, (*before, name))


def changed(value: Any, place: tuple[Any, ...], change: Callable[[Any, Any], None]) -> Any:
    whole = deepcopy(value)
    holder = whole
    for name in place[:-1]:
        holder = holder[name]
    change(holder, place[-1])
    return whole


def variants(value: Any) -> Iterator[Any]:
    """Values that are somewhere different: by what stands there, by its name, by how much there is."""

    def put(strange: Any) -> Callable[[Any, Any], None]:
        def change(holder: Any, name: Any) -> None:
            holder[name] = strange

        return change

    def remove(holder: Any, name: Any) -> None:
        del holder[name]

    def add(holder: Any, name: Any) -> None:
        if isinstance(holder, dict):
            holder["unknown"] = holder[name]

    def repeat(times: int) -> Callable[[Any, Any], None]:
        def change(holder: Any, name: Any) -> None:
            if isinstance(holder[name], list):
                holder[name] = holder[name] * times

        return change

    def rename(strange: str) -> Callable[[Any, Any], None]:
        def change(holder: Any, name: Any) -> None:
            if isinstance(holder, dict):
                holder[strange] = holder.pop(name)

        return change

    yield value
    names = [each for each in STRANGE if isinstance(each, str)]
    changes = [*map(put, STRANGE), remove, add, *map(repeat, LONG), *map(rename, names)]
    for place in places(value):
        for change in changes:
            yield changed(value, place, change)


def octets_of(value: Any) -> bytes:
    return json.dumps(value).encode()  # lone surrogates in their written form


class AgreedTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.process = Process()
        self.addCleanup(self.process.close)

    def both(self, command: str, values: list[bytes], read: Callable[[bytes], Any], kind: Any) -> list[Any]:
        """What both read of each, None of what is refused."""
        mine = [_or_none(read, each) for each in values]
        asked = self.process.ask(command, values=[encode_octets(each) for each in values])
        for value, own, their in zip(values, mine, asked, strict=True):
            theirs = None if their is None else kind(their)
            self.assertEqual(theirs, own, value)
        return mine

    def payloads(self, values: list[bytes]) -> list[Any]:
        return self.both("payloads", values, payloads.decode, _payload)

    def contents(self, values: list[bytes]) -> list[Any]:
        return self.both("contents", values, vault_room.decode, partial(msgspec.convert, type=Content))

    def test_payloads(self) -> None:
        """Whatever stands in place of each member, and wherever one is missing, or there are more."""
        for said in SAID:
            read = self.payloads([octets_of(each) for each in variants(said)])
            self.assertIsNotNone(read[0], said)
            self.assertIn(None, read, said)

    def test_vaults(self) -> None:
        """The same of the vault that has all members."""
        content = json.loads(VECTORS.read_text())["vaults"][3]["content"]
        for name in content.keys() - {"previous"}:
            read = self.contents(
                [octets_of(each) for each in variants({"previous": HASH, name: content[name]})]
            )
            self.assertIsNotNone(read[0], name)
            self.assertIn(None, read, name)

    def test_twice(self) -> None:
        """No member stands in a payload twice, wherever, and however its name is written."""
        wrong = (
            '{"kind":"text","text":"a","text":"b"}',
            '{"kind":"text","text":"a","\\u0074ext":"b"}',
            '{"kind":"text","kind":"text","text":"a"}',
            '{"kind":"text","text":"a","more":[{"x":1,"x":1}]}',
            f'{{"kind":"text","text":"a","reply":{{"hash":"{HASH}","hash":"{HASH}"}}}}',
            '{"kind":"poll","text":"a","text":"b"}',
        )
        right = (
            '{"kind":"text","text":"a:\\"b\\":{\\\\","more":[{"x":1},{"x":1}]}',
            '{"kind" : "text", "text" : "\\\\\\"", "__proto__": {"kind": 1}}',
            '{"kind":"text","text":"a","":{"":":"}}',
        )
        self.assertEqual(self.payloads([each.encode() for each in wrong]), [None] * len(wrong))
        self.assertNotIn(None, self.payloads([each.encode() for each in right]))

    def test_written(self) -> None:
        """What is no JSON, or no UTF-8, and numbers in other forms."""
        whole = json.dumps({"kind": "compare.done", "compare": STREAM, "same": True})
        size = json.dumps({**SAID[4], "size": "here"})
        numbers = "1", "-0", "0.0", "1.0", "1e2", "1E400", "01", "+1", "NaN", "9007199254740991.0", "1e-1"
        texts = [whole, f" \n{whole}\t ", f"\ufeff{whole}", f"{whole}x", whole[:-1], "", "null", "[]", '"x"']
        texts += [size.replace('"here"', each) for each in numbers]
        texts += [
            whole.replace("{", f'{{"more": {each}, ', 1) for each in ('"\\ud800"', "1.5", "2e1", "[[{}]]")
        ]
        wrong = [b"\xff", whole.encode().replace(b"d", b"\xc0\xaf")]
        read = self.payloads([*(each.encode() for each in texts), *wrong])
        self.assertEqual(sum(each is not None for each in read), 5)

    def test_depth_and_digits(self) -> None:
        """How deep objects may stand in each other, and how long a number is: the same for all readers."""

        def said(more: str) -> bytes:
            return f'{{"kind":"text","text":"a","more":{more}}}'.encode()

        def deep(levels: int) -> list[bytes]:
            return [
                said("[" * levels + "]" * levels),
                said('{"x":' * levels + "1" + "}" * levels),
                said(
                    '[{"x":' * (levels // 2) + "[" * (levels % 2) + "]" * (levels % 2) + "}]" * (levels // 2)
                ),
            ]

        def long(digits: int) -> list[bytes]:
            return [said(each + "9" * digits) for each in ("", "-")]

        right = [*deep(DEEPEST - 1), *long(16)]
        wrong = [each for levels in (DEEPEST, 200, 900, 3000) for each in deep(levels)]
        wrong += [each for digits in (17, 309, 4301) for each in long(digits)]
        self.assertNotIn(None, self.payloads(right))
        self.assertEqual(self.payloads(wrong), [None] * len(wrong))
        self.assertNotIn(None, self.payloads([said(f'"{"9" * 20}["')]), "what stands in texts is none")


def _or_none(read: Callable[[bytes], Any], value: bytes) -> Any:
    try:
        return read(value)
    except Refused:
        return None


def _payload(value: dict[str, Any]) -> Payload | Unknown:
    if "unknown" in value:
        return Unknown(value["unknown"], value["text"])
    return payloads.decode(json.dumps(value).encode())
