"""The specification of secure chats names all that stands in a vault, and nothing else."""

import re
from pathlib import Path

from msgspec import Struct
from msgspec.structs import fields
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.secure import chat_memory, own_memory, vault_content

PAGE = Path(__file__).parent.parent / "docs" / "secure-chats.md"
ROWS: dict[str, type[Struct]] = {
    "`people`, by account": vault_content.Pinned,
    "`chats`, by chat": chat_memory.ChatMemory,
    "`streams`, by account": chat_memory.StreamMemory,
    "`epochs`, the oldest first": chat_memory.EpochMemory,
    "`former` of a chat, the newest first": chat_memory.FormerRoster,
    "`own`": own_memory.OwnMemory,
}
"""What the rows of the table of members begin with, and what they are of."""


class VaultPageTests(SynchronousTestCase):
    def setUp(self) -> None:
        _, _, after = PAGE.read_text().partition("## The vault\n")
        section, _, _ = after.partition("\n## ")
        _, _, self.inner = section.partition("| of | members |\n")
        self.outer = section.removesuffix(self.inner)

    def test_members(self) -> None:
        """Each of them, with `?` where it can be left out."""
        for begins, kind in ROWS.items():
            (row,) = re.findall(rf"^\| {re.escape(begins)} \| (.*) \|$", self.inner, re.MULTILINE)
            for field in fields(kind):
                mark = "" if field.required else r"\?"
                self.assertRegex(row, rf"`{field.encode_name}`{mark}(?!\?)", begins)

    def test_whole(self) -> None:
        """The whole has these, and no others."""
        rows = re.findall(r"^\| `([a-z]+)` \|", self.outer, re.MULTILINE)
        self.assertEqual(set(rows), {field.encode_name for field in fields(vault_content.Content)})
