"""The layers of the design, read from the imports themselves."""

import ast
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).parent.parent
OURS = ("safeum_home", "federation", "bridges")
MOST_LINES = 300
"""Longer files are refused; those over 250 are named in the test's log."""

LAYER_OF = {
    **dict.fromkeys(
        ("ids", "errors", "config", "config_secrets", "ports", "limits", "spawn", "damage", "protocol"), 0
    ),
    **dict.fromkeys(("images", "outgoing", "disk", "config_base", "config_federation", "config_files"), 0),
    **dict.fromkeys(
        ("config_history", "config_limits", "config_push", "config_sms", "config_turn", "rounds"), 0
    ),
    **dict.fromkeys(("config_trunk", "grants", "jobs"), 0),
    **dict.fromkeys(("daemon", "daemon_log"), 0),
    **dict.fromkeys(("config_safenum", "config_premium", "config_payments"), 0),
    **dict.fromkeys(("sealing", "storage", "bus", "metrics"), 1),
    **dict.fromkeys(("accounts", "chats", "keys", "calls", "presence", "safenum", "push", "turn"), 2),
    **dict.fromkeys(("gateway", "admin", "client", "web", "federation", "bridges", "answering"), 3),
    "trunk": 2,
    **dict.fromkeys(("tap", "node", "operator"), 4),
}
SEES = {0: {0}, 1: {0}, 2: {0, 1}, 3: {0}, 4: {0, 1, 2, 3, 4}}
"""What each layer may import, besides its own part. L1 and L2 parts never import a part beside them."""

REACTOR = "twisted.internet.reactor"


CLOCKS = {
    "wrapClientTLS": (2, "clock"),
    "TLSMemoryBIOFactory": (3, "clock"),
    "WebSocketClientFactory": (99, "reactor"),
    "WebSocketServerFactory": (99, "reactor"),
    "FileBodyProducer": (1, "cooperator"),
    "Cooperator": (1, "scheduler"),
    "StandardIO": (3, "reactor"),
    "HTTPClient": (99, "agent"),
    "LoopingCall": (99, "clock"),
    "cooperate": (99, ""),
    "coiterate": (99, ""),
    "deferToThread": (99, ""),
    "callMultipleInThread": (99, ""),
}
"""What takes the global reactor unless it is handed another: where, and by which name ("": never)."""


def part_of(module: str) -> str | None:
    """The part of the project that a module belongs to; None for what is not ours."""
    names = module.split(".")
    if names[0] not in OURS:
        return None
    if names[0] != "safeum_home":
        return names[0]
    return names[1] if len(names) > 1 and not names[1].startswith("__") else None


def imports(tree: ast.AST, module: str, is_package: bool) -> Iterator[str]:
    """Every module, or name in a module, that the code imports: inside functions and by name too."""
    package = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*parents, *(node.module.split(".") if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and _is_import_call(node.func):
            yield from (
                argument.value
                for argument in node.args[:1]
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            )


def _is_import_call(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in ("import_module", "__import__", "namedAny", "namedModule")


def violations(source: str, module: str, is_package: bool = False) -> list[str]:
    """What the imports of a module break, each as a line for people."""
    tree = ast.parse(source)
    here = part_of(module)
    found = []
    for imported in imports(tree, module, is_package):
        if imported == REACTOR and here != "tap" and not _in_main(tree, module):
            found.append(f"{module} imports the reactor")
        if here == "protocol" and imported.split(".")[0] == "twisted":
            found.append(f"{module} imports {imported}: the protocol does no I/O")
        there = part_of(imported)
        if here is None or there is None or here == there:
            continue
        if there not in LAYER_OF or here not in LAYER_OF:
            found.append(f"{module} imports {imported}: no layer is known for {here} or {there}")
        elif LAYER_OF[there] not in SEES[LAYER_OF[here]]:
            found.append(f"{module} (layer {LAYER_OF[here]}) imports {imported} (layer {LAYER_OF[there]})")
    return found


def unclocked(source: str) -> list[str]:
    """The calls in a module that leave it to Twisted on which reactor things happen."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        place, keyword = CLOCKS.get(name, (0, ""))
        given = len(node.args) > place or any(each.arg in (keyword, None) for each in node.keywords)
        if name in CLOCKS and not given:
            found.append(f"line {node.lineno}: {name} without {keyword or 'a reactor of its own'}")
    return found


def _in_main(tree: ast.AST, module: str) -> bool:
    """Whether the reactor is imported by the `main` of a client's console script, and nowhere else."""
    if part_of(module) != "client":
        return False
    mains = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "main"]
    inside = sum(list(imports(main, module, False)).count(REACTOR) for main in mains)
    return inside == list(imports(tree, module, False)).count(REACTOR)


def files() -> Iterator[tuple[Path, str]]:
    """Every file of ours with the name of its module."""
    for top in OURS:
        for path in sorted((ROOT / top).rglob("*.py")):
            names = path.relative_to(ROOT).with_suffix("").parts
            yield path, ".".join(names[:-1] if names[-1] == "__init__" else names)


class LayerTests(SynchronousTestCase):
    """The checkout keeps its layers and its sizes."""

    def test_imports(self) -> None:
        """No module imports what its layer may not see."""
        found = [
            line
            for path, module in files()
            for line in violations(path.read_text(), module, path.name == "__init__.py")
        ]
        self.assertEqual(found, [])

    def test_reactors(self) -> None:
        """Nothing in the client happens on the global reactor, which its loop does not run."""
        ours = [(path, module) for path, module in files() if part_of(module) == "client"]
        found = {module: unclocked(path.read_text()) for path, module in ours}
        self.assertEqual({module: lines for module, lines in found.items() if lines}, {})

    def test_every_part_has_a_layer(self) -> None:
        """A new part must be given its layer."""
        parts = {part_of(module) for _, module in files()} - {None}
        self.assertEqual(parts - set(LAYER_OF), set())

    def test_sizes(self) -> None:
        """Files stay short."""
        sizes = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path, _ in files()}
        for name, size in sizes.items():
            if 250 < size <= MOST_LINES:
                print(f"\n    {name} has {size} lines: time to look for a second concept in it", end=" ")
        self.assertEqual([f"{name}: {size}" for name, size in sizes.items() if size > MOST_LINES], [])


class PlantedViolationTests(SynchronousTestCase):
    """The test above can fail."""

    def _one(self, source: str, module: str, is_package: bool = False) -> None:
        self.assertEqual(len(violations(source, module, is_package)), 1, f"{module}: {source}")

    def _none(self, source: str, module: str) -> None:
        self.assertEqual(violations(source, module), [])

    def test_reactors(self) -> None:
        """A clock that is missing is seen, and one that is there."""
        for source in (
            "wrapClientTLS(tls, to)",
            "e.wrapClientTLS(tls, to)",
            "cooperate(x)",
            "StandardIO(pipe)",
        ):
            self.assertEqual(len(unclocked(source)), 1, source)
        for source in ("wrapClientTLS(tls, to, clock)", "TLSMemoryBIOFactory(t, True, f, clock=c)"):
            self.assertEqual(unclocked(source), [], source)

    def test_upwards_and_sideways(self) -> None:
        """Every forbidden direction is seen, in every way of writing an import."""
        self._one("import safeum_home.storage.rows", "safeum_home.protocol.frames")
        self._one("from safeum_home import sealing", "safeum_home.ids")
        self._one("from safeum_home.storage import rows", "safeum_home.sealing.keyring")
        self._one("from safeum_home.accounts.relation import STATES", "safeum_home.chats.messages")
        self._one("from ..accounts import relation", "safeum_home.chats.messages")
        self._one("from ..accounts import relation", "safeum_home.chats", is_package=True)
        self._one("from safeum_home.storage import rows", "safeum_home.gateway.dispatch")
        self._one("import federation.sender", "safeum_home.gateway.session")
        self._one("from bridges.push import apns", "federation.sender")
        self._one("from safeum_home.tap import makeService", "safeum_home.admin.cli")
        self._one("def late():\n    from safeum_home.node import Node", "safeum_home.admin.cli")
        self._one("import importlib\nimportlib.import_module('safeum_home.chats')", "safeum_home.web.page")
        self._one("import safeum_home.unheard_of", "safeum_home.chats.messages")

    def test_reactor_and_protocol(self) -> None:
        """The reactor belongs to the composition root, and the protocol does no I/O."""
        self._one("from twisted.internet import reactor", "safeum_home.chats.messages")
        self._one("import twisted.internet.reactor", "safeum_home.node")
        self._one("from twisted.internet import reactor\ndef main(): pass", "safeum_home.client.cli")
        self._one("from twisted.internet.defer import Deferred", "safeum_home.protocol.session")

    def test_allowed(self) -> None:
        """What the design allows is left alone."""
        self._none("from safeum_home.ports import Key", "safeum_home.sealing.keyring")
        self._none("from safeum_home.storage import rows", "safeum_home.chats.messages")
        self._none("from . import dispatch", "safeum_home.gateway.session")
        self._none("from twisted.internet import reactor\nimport federation", "safeum_home.tap")
        self._none("from safeum_home.node import Node", "safeum_home.tap")
        self._none("def main():\n    from twisted.internet import reactor", "safeum_home.client.cli")
