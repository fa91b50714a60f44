"""`python -m tools.generate`: write the documents that are made from the code; a test holds them to it."""

import inspect
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from safeum_home.errors import Code
from safeum_home.protocol import asyncapi, openapi
from safeum_home.protocol.commands import COMMANDS
from safeum_home.protocol.events import EVENTS
from tools import call_vectors, key_vectors, secure_vectors, vectors
from tools.shapes import Shapes

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "protocol"
SECTION = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.S)


def documents() -> Iterator[tuple[Path, str]]:
    """Each generated document with what it should hold now."""
    yield FOLDER / "asyncapi.json", asyncapi.text()
    yield FOLDER / "openapi.json", openapi.text()
    yield FOLDER.parent / "federation-vectors.json", vectors.text()
    yield FOLDER.parent / "key-vectors.json", key_vectors.text()
    yield FOLDER.parent / "call-vectors.json", call_vectors.text()
    yield FOLDER.parent / "secure-chats-vectors.json", secure_vectors.text()
    guide = FOLDER / "README.md"
    shapes = Shapes(
        [
            *(each for command in COMMANDS.values() for each in (command.params, command.result)),
            *(event.type for event in EVENTS.values()),
        ]
    )
    types = _table(("type", "members", "what it is"), shapes.rows())
    tables = {"methods": _methods(shapes), "events": _events(shapes), "types": types, "errors": _errors()}
    yield guide, SECTION.sub(lambda found: found[1] + tables[found[2]] + found[3], guide.read_text())


def _methods(shapes: Shapes) -> str:
    rows = (
        (
            f"`{command.method}`",
            command.phase.value,
            "yes" if command.activity else "no",
            shapes.fields(command.params),
            shapes.fields(command.result),
            _summary(command.params),
        )
        for command in COMMANDS.values()
    )
    return _table(("method", "phase", "in use", "parameters", "result", "what it does"), rows)


def _events(shapes: Shapes) -> str:
    rows = (
        (
            f"`{event.method}`",
            "yes" if event.durable else "no",
            shapes.fields(event.type),
            _summary(event.type),
        )
        for event in EVENTS.values()
    )
    return _table(("event", "comes again", "parameters", "what it says"), rows)


def _errors() -> str:
    rows = (
        (f"`{code.code}`", str(code.value.rpc), str(code.value.status), code.value.title) for code in Code
    )
    return _table(("`data.code`", "`code`", "HTTP status", "meaning"), rows)


def _summary(struct: type[Struct]) -> str:
    return " ".join((inspect.getdoc(struct) or "").split())


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def main() -> None:
    """Write what has changed, and name it."""
    for path, text in documents():
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
