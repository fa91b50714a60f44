"""The committed documents say what the code does, and are what they claim to be."""

import gzip
import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from jsonschema import Draft7Validator, Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from treq.testing import StubTreq
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource

from safeum_home.config import parse
from safeum_home.errors import Code, Problem
from safeum_home.gateway.http import (
    ClientDiscovery,
    NodeDiscoveryResource,
    place,
    site_root,
    websocket_url,
)
from safeum_home.gateway.limits import EdgeLimits
from safeum_home.node.service import Node
from safeum_home.protocol import asyncapi, frames, openapi
from safeum_home.protocol.commands import COMMANDS
from safeum_home.protocol.events import EVENTS
from safeum_home.protocol.http import DISCOVERY_PATH, HEALTH_PATH, NODE_DISCOVERY_PATH, Health
from safeum_home.sealing.hardening import Hardening
from safeum_home.sealing.memory import Arena
from tests.values import values
from tools.generate import FOLDER, documents

DATA = Path(__file__).parent / "data"


class CommittedTests(SynchronousTestCase):
    """`make docs` would change nothing."""

    def test_up_to_date(self) -> None:
        """Each generated document holds what the code makes of it now."""
        for path, text in documents():
            self.assertEqual(path.read_text(), text, f"{path.name} is out of date: run `make docs`")

    def test_tables_are_found(self) -> None:
        """The guide has a place for each table, and names every method, event and error."""
        guide = (FOLDER / "README.md").read_text()
        self.assertEqual(
            re.findall(r"<!-- generated: (\w+) -->", guide), ["methods", "events", "types", "errors"]
        )
        for name in [*COMMANDS, *EVENTS, *(code.code for code in Code)]:
            self.assertIn(f"`{name}`", guide)

    def test_types_are_told(self) -> None:
        """What members are said to be made of has a row of its own; and nothing else has."""
        guide = (FOLDER / "README.md").read_text()
        told = re.findall(r"^\| `([A-Z]\w+)` \|", guide, re.M)
        named = set(re.findall(r"`\w+\??: \[?([A-Z]\w+)", guide))
        [body] = re.findall(r"^\| `Body` \| (.+) \| What", guide, re.M)
        self.assertEqual(told, sorted(named | set(re.findall(r"`(\w+)`", body))))
        self.assertLess({"Body", "ChatInfo", "DeviceInfo", "Message", "Text"}, set(told))
        self.assertIn("| `chat: ChatInfo` `refused: [NotInvited]` |", guide)


class OfficialSchemaTests(SynchronousTestCase):
    """The documents against the specifications' own schemas."""

    def test_asyncapi(self) -> None:
        """AsyncAPI 3.0.0."""
        schema = json.loads(gzip.decompress((DATA / "asyncapi-3.0.0.json.gz").read_bytes()))
        self.assertEqual(
            [error.message for error in Draft7Validator(schema).iter_errors(asyncapi.document())], []
        )
        broken = asyncapi.document()
        broken["operations"]["chat.send"]["action"] = "sing"
        self.assertNotEqual(list(Draft7Validator(schema).iter_errors(broken)), [])

    def test_openapi(self) -> None:
        """OpenAPI 3.1."""
        self.assertEqual(
            [error.message for error in OpenAPIV31SpecValidator(openapi.document()).iter_errors()], []
        )

    def test_every_reference_leads_somewhere(self) -> None:
        """No `$ref` is left in the air."""
        for document in (asyncapi.document(), openapi.document()):
            for reference in re.findall(r'"\$ref": ?"#/([^"]+)"', json.dumps(document)):
                place: Any = document
                for step in reference.split("/"):
                    place = place[step]
                self.assertIsInstance(place, dict)


class MeaningTests(SynchronousTestCase):
    """The schemas take what the node sends and what it takes."""

    document = asyncapi.document()

    def _validator(self, name: str) -> Draft202012Validator:
        payload = self.document["components"]["messages"][name]["payload"]
        return Draft202012Validator(payload | {"components": self.document["components"]})

    def _holds(self, name: str, frame: bytes) -> None:
        errors = [error.message for error in self._validator(name).iter_errors(msgspec.json.decode(frame))]
        self.assertEqual(errors, [])

    def test_examples_of_everything(self) -> None:
        """A value of every message, made from the types, satisfies its published schema."""
        for method, command in COMMANDS.items():
            request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": self._example(command.params)}
            self._holds(f"{method}.request", msgspec.json.encode(request))
            self._holds(f"{method}.result", frames.encode_result(1, self._example(command.result)))
        for method, event in EVENTS.items():
            self._holds(method, frames.encode_event(self._example(event.type)))

    def _example(self, kind: type[msgspec.Struct]) -> Any:
        found: list[Any] = []

        @settings(max_examples=1, database=None)
        @given(values(kind))
        def take(value: Any) -> None:
            found.append(value)

        take()
        return found[-1]

    def test_refusals(self) -> None:
        """Every error, with and without what is optional in it."""
        for code in Code:
            self._holds("error", frames.encode_problem("a", Problem(code)))
            self._holds("error", frames.encode_problem(None, Problem(code, "detail", 1.5)))

    def test_schemas_refuse(self) -> None:
        """A schema that took everything would be of no use."""
        validator = self._validator("chat.send.request")
        for wrong in ({}, {"jsonrpc": "2.0", "id": 1, "method": "chat.send", "params": {}}):
            self.assertFalse(validator.is_valid(wrong))

    def test_bodies_that_are_not_known(self) -> None:
        """Those of other kinds are valid, sent and told; those of a known kind in another form are not."""
        sender, chat, mid = "@" + "a" * 26 + ":home.example", "!" + "a" * 26, "a" * 22
        told = {"id": mid, "chat": chat, "sender": sender, "at": 1}
        for body, good in (
            ({"kind": "text", "text": "x"}, True),
            ({"kind": "example.poll", "text": "Tea?", "answers": ["yes"]}, True),
            ({"kind": "text"}, False),
            ({"kind": "notice", "act": "x"}, False),
            ({"kind": "Poll"}, False),
            ({"text": "x"}, False),
        ):
            params = {"chat": chat, "client_id": "1", "body": body}
            sent = {"jsonrpc": "2.0", "id": 1, "method": "chat.send", "params": params}
            self.assertEqual(self._validator("chat.send.request").is_valid(sent), good, body)
            event = {"jsonrpc": "2.0", "method": "chat.message", "params": {**told, "body": body}}
            self.assertEqual(self._validator("chat.message").is_valid(event), good, body)


class HttpTests(SynchronousTestCase):
    """What is served over HTTP is what openapi.json says."""

    def _get(self, path: str, root: Resource) -> tuple[int, Any]:
        treq: Any = StubTreq(root)
        response = self.successResultOf(treq.get("https://home.example" + path))
        return response.code, json.loads(self.successResultOf(treq.content(response)))

    def _validate(self, document: object, name: str) -> None:
        published = openapi.document()["components"]
        schema = {**published["schemas"][name], "additionalProperties": False, "components": published}
        errors = [error.message for error in Draft202012Validator(schema).iter_errors(document)]
        self.assertEqual(errors, [])

    def test_discovery(self) -> None:
        """`GET /.well-known/safeum/client`."""
        discovery = ClientDiscovery("home.example", websocket_url("home.example"), EdgeLimits(), "k" * 43)
        code, document = self._get(DISCOVERY_PATH, site_root(dict, discovery))
        self.assertEqual(code, 200)
        self._validate(document, "Discovery")
        self.assertEqual(document["websocket"], "wss://home.example/v1/ws")

    def test_node_discovery(self) -> None:
        """`GET /.well-known/safeum/node`, beside the other one."""
        root = site_root(dict, ClientDiscovery("home.example", "wss://x", EdgeLimits(), "k" * 43))
        place(root, NODE_DISCOVERY_PATH, NodeDiscoveryResource("node.home.example:8448"))
        code, document = self._get(NODE_DISCOVERY_PATH, root)
        self.assertEqual((code, document), (200, {"server": "node.home.example:8448"}))
        self._validate(document, "NodeDiscovery")
        self.assertEqual(self._get(DISCOVERY_PATH, root)[0], 200)

    def test_health(self) -> None:
        """`GET /health`; tests.test_docs_operate asks a real node."""
        for status, expected in (("ok", 200), ("sealed", 503)):
            health = Health(status, "home.example")
            code, document = self._get(HEALTH_PATH, site_root(partial(msgspec.structs.asdict, health)))
            self.assertEqual(code, expected)
            self._validate(document, "Health")

    def test_health_of_a_node(self) -> None:
        """Strangers are told what they need, and not which version's faults to try."""
        config = parse('[node]\nname = "home.example"\nstate_dir = "/nowhere"')
        node = Node(Clock(), config, Arena(), Hardening(True, True))
        answer = self._get(HEALTH_PATH, site_root(node.health))
        self.assertEqual(answer, (503, {"status": "not_initialised", "node": "home.example"}))
        self._validate(node.health(), "Health")

    def test_problems(self) -> None:
        """All else."""
        code, document = self._get("/no/such/thing", site_root(dict))
        self.assertEqual(code, 404)
        self._validate(document, "ProblemDetails")
