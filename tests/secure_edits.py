"""Modules of safeum_home/web/secure with a defence taken out, and a Node.js that takes part with them.

What is taken out is text: it has to stand in its module once, so an edit that fits no more is noticed.
"""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from tests.secure_javascript import WEB, Process, install

SECURE = WEB.parent.parent / "safeum_home" / "web" / "secure"


class Edit(NamedTuple):
    """In one module, `instead` of what it has."""

    module: str
    text: str
    instead: str


def edited(folder: Path, *edits: Edit) -> Path:
    """A copy of the modules, with these edits; raises AssertionError where one does not fit."""
    shutil.copytree(SECURE, folder)
    for edit in edits:
        path = folder / f"{edit.module}.js"
        source = path.read_text()
        if source.count(edit.text) != 1:
            raise AssertionError(f"{edit.module}.js has {source.count(edit.text)} times: {edit.text}")
        path.write_text(source.replace(edit.text, edit.instead))
    return folder


class Pooled(Process):
    """A process that goes on when it is closed: the next one is it again, with the modules of `folder`."""

    folder: ClassVar[Path] = SECURE
    _free: ClassVar[list["Process"]] = []

    def __init__(self) -> None:
        self._real = self._free.pop() if self._free else Process()
        self._real.ask("load", folder=self.folder.as_uri())

    def ask(self, command: str, **parameters: Any) -> Any:
        return self._real.ask(command, **parameters)

    def close(self) -> None:
        self._free.append(self._real)

    @classmethod
    def end(cls) -> None:
        while cls._free:
            cls._free.pop().close()


def asserted(test: str, folder: Path) -> bool:
    """Whether a test in JavaScript, `file: name`, fails with the modules of a folder by what it asserts.

    Raises AssertionError where there is no such test, or it breaks.
    """
    file, name = test.split(": ", 1)
    pattern = f"--test-name-pattern=^{re.escape(name)}$"
    command = [install(), "--test", "--test-reporter=tap", pattern, str(WEB / f"{file}.test.mjs")]
    done = subprocess.run(
        command, env={"SECURE": folder.as_uri()}, capture_output=True, text=True, check=False
    )
    if not any(line.endswith(f" - {name}") for line in done.stdout.splitlines()):  # others end with why not
        raise AssertionError(f"there is no {test}: {done.stdout}{done.stderr}")
    if done.returncode and "ERR_ASSERTION" not in done.stdout:
        raise AssertionError(f"{test} breaks: {done.stdout}")
    return done.returncode != 0
