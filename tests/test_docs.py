"""The documentation is true: commands parse (tests.test_docs_operate runs them), links lead somewhere."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
from twisted.python.reflect import namedAny
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from safeum_home import config

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)

NOT_RUN = {
    r"apt-get|useradd|postgres ": "changes the system; tests.postgres does the same",
    r"ln -s|install --directory|cp /opt": "changes the system",
    r"python3 -m venv|pip install": "`make` does the same before any test can run",
    r"^npm install|^cp --recursive /opt": "tests.test_docs_javascript does the same",
    r"systemctl": "changes the system; tests.test_docs_operate starts the unit's own ExecStart",
    r"systemd-creds": "needs a TPM; the tests of sealing feed credentials",
    r"fetch-root-secret": "stands for what an operator has; the tests of sealing feed descriptors",
    r"shred": "may be missing, and has nothing of ours in it",
    r"safeum verify-receipt": "tests.test_client_receipts runs it, with the receipt of the published vectors",
    r"curl https://b\.example": "another node; tests.test_e2e_history_across asks one",
    r"safeum-home turn": "a relay runs until it is ended; tests.test_e2e_turn runs both ways",
    r"safeum-home (rates|cdr|ledger|balance|vouchers)": "tests.test_money_node runs them all",
    r"safeum-home carrier": "they run until they are ended; tests.test_e2e_trunk runs all of them",
    r"safeum-home payments": "tests.test_payments_node runs them all",
    r"safeum chat": "a person's terminal; the tests of the client drive it",
    r"^make ": "would run for ever, or run this test in itself: `make -n` is run instead",
}
"""Commands that are only parsed: why, and what covers them instead."""


class Command(NamedTuple):
    document: Path
    text: str

    @property
    def reason_not_to_run(self) -> str | None:
        return next((why for what, why in NOT_RUN.items() if re.search(what, self.text)), None)


def commands(document: Path) -> Iterator[Command]:
    """Every command of the blocks that are marked `sh`, one for each line."""
    for language, body in FENCE.findall(document.read_text()):
        if language == "sh":
            yield from (
                Command(document, line) for line in body.replace("\\\n", " ").splitlines() if line.strip()
            )


class DocumentTests(SynchronousTestCase):
    """All documents."""

    def test_every_command_parses(self) -> None:
        """Each is a line that a shell understands."""
        for document in DOCUMENTS:
            for command in commands(document):
                done = subprocess.run(
                    ["bash", "-n", "-c", command.text], capture_output=True, text=True, check=False
                )
                self.assertEqual(done.returncode, 0, f"{document.name}: {command.text}\n{done.stderr}")

    def test_every_command_is_run_or_excused(self) -> None:
        """Those of operate.md are run; in all other documents each has a reason not to be."""
        for document in DOCUMENTS:
            for command in commands(document) if document.name != "operate.md" else ():
                self.assertIsNotNone(command.reason_not_to_run, f"{document.name}: {command.text}")

    def test_every_block_is_marked(self) -> None:
        """A block without a language would escape the tests."""
        for document in DOCUMENTS:
            for language, body in FENCE.findall(document.read_text()):
                known = {"sh", "mermaid", "python", "js", "json", "toml", "text"}
                self.assertIn(language, known, f"{document.name}: {body}")

    def test_exceptions_are_needed(self) -> None:
        """What is listed as not run is in some document."""
        texts = [command.text for document in DOCUMENTS for command in commands(document)]
        for what in NOT_RUN:
            self.assertTrue(any(re.search(what, text) for text in texts), what)

    def test_make(self) -> None:
        """Targets that are named anywhere exist."""
        targets = {
            target
            for document in DOCUMENTS
            for target in re.findall(r"(?:^|`)make ((?:\w+)(?: CASE=\w+)?)", document.read_text(), re.M)
        }
        self.assertTrue({"run", "test", "docs", "bench"} <= targets, targets)
        for target in targets:
            done = subprocess.run(["make", "-n", *target.split()], cwd=ROOT, capture_output=True, check=False)
            self.assertEqual(done.returncode, 0, target)

    def test_names(self) -> None:
        """What flow.md names is in the code."""
        parts = "|".join(
            path.stem for path in (ROOT / "safeum_home").iterdir() if path.is_dir() or path.stem == "ports"
        )
        names = re.findall(rf"`((?:{parts})(?:\.\w+)+)`", (ROOT / "docs" / "flow.md").read_text())
        self.assertGreater(len(names), 15)
        for name in names:
            namedAny(f"safeum_home.{name}")

    def test_every_page_is_listed(self) -> None:
        """docs/README.md and the first page have all pages, and operate.md all that it is about."""
        folder = ROOT / "docs"
        listed = re.findall(r"\]\(([^)#]+\.md)", (folder / "README.md").read_text())
        pages = {page.name for page in folder.glob("*.md")} - {"README.md"}
        self.assertEqual(pages - set(listed), set())
        linked = re.findall(r"\]\(docs/([^)#/]+\.md)", (ROOT / "README.md").read_text())
        self.assertEqual(pages - set(linked), set())
        operating = (folder / "operate.md").read_text()
        contents, _ = operating.split("\n## ", 1)
        headings = re.findall(r"^## (.+)$", operating, re.M)
        self.assertEqual(re.findall(r"\[([^]]+)\]\(#", contents), headings)

    def test_links(self) -> None:
        """What is linked to is there, headings included."""
        for document in DOCUMENTS:
            for target in re.findall(r"\]\(([^)]+)\)", document.read_text()):
                if "://" in target:
                    continue
                name, _, heading = target.partition("#")
                path = (document.parent / name).resolve() if name else document
                self.assertTrue(path.exists(), f"{document.name}: {target}")
                if heading:
                    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.M)
                    self.assertIn(
                        heading, [text.lower().replace(" ", "-") for text in headings], document.name
                    )


class SampleTests(SynchronousTestCase):
    """The sample configuration and the systemd unit."""

    def _sample(self) -> str:
        return (ROOT / "docs" / "node.toml").read_text()

    def test_it_loads(self) -> None:
        """As it is."""
        self.assertEqual(config.parse(self._sample()).node.name, "home.example.org")

    def test_it_shows_the_defaults(self) -> None:
        """Uncommented, it says what leaving all of it out says; and it names every setting there is."""
        uncommented = re.sub(r"^# (?=\w+ = )", "", self._sample(), flags=re.M)
        uncommented = re.sub(r"^url = \"postgresql.*\n", "", uncommented, flags=re.M)
        full = config.parse(uncommented)
        self.assertEqual(full, config.parse(self._sample()))
        for section in config.Config.__struct_fields__:
            for setting in getattr(full, section).__struct_fields__:
                self.assertRegex(
                    uncommented, rf"(?m)^{setting} = ", f"{section}.{setting} is not in the sample"
                )

    def test_providers(self) -> None:
        """The provider that it shows can be had where it stands, whatever else is set."""
        uncommented = re.sub(r"^# (?=    \S)", "", self._sample(), flags=re.M)
        uncommented = re.sub(r"^# (?=\w+ = )(?!providers|carriers|url)", "", uncommented, flags=re.M)
        shown, sample = config.parse(uncommented), config.parse(self._sample())
        for section in ("push", "sms", "payments"):
            found, defaults = getattr(shown, section), getattr(sample, section)
            self.assertEqual(len(found.providers), 1)
            self.assertEqual(msgspec.structs.replace(found, providers=[]), defaults)

    def test_units(self) -> None:
        """systemd understands them, and finds little that it could still do."""
        if shutil.which("systemd-analyze") is None:
            raise SkipTest("systemd-analyze is not installed")
        units = []
        for name in (
            "safeum-home.service",
            "safeum-turn.service",
            "safeum-kamailio.service",
            "safeum-janus.service",
        ):
            unit = Path(self.mktemp()) / name
            unit.parent.mkdir()
            text = re.sub(r"(?m)^(User|Group|Documentation)=.*\n", "", (ROOT / "docs" / name).read_text())
            true = shutil.which("true") or "/bin/true"
            unit.write_text(re.sub(r"/opt/safeum-home/venv/bin/[a-z-]+", true, text))
            units.append(str(unit))
        environment = {**os.environ, "SYSTEMD_LOG_LEVEL": "warning"}
        done = subprocess.run(
            ["systemd-analyze", "verify", *units],
            capture_output=True,
            text=True,
            check=False,
            env=environment,
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))
