"""Drafts of secure chats: in the vault, so on all devices of the account, and nowhere else."""

from collections.abc import Mapping

from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.secure.vault_content import Draft
from safeum_home.client.unlocked.events import DraftChanged
from safeum_home.client.unlocked.kept import Kept, is_text
from safeum_home.protocol.message_types import MAX_DRAFT
from safeum_home.protocol.signing import decode_octets

MOST = 2000
"""Chats with a draft, or a trace of one."""


class KeptDrafts(Kept[Draft]):
    """Of two that were begun on different devices the later one stays.

    All together there is room for 192 KiB: what was begun first goes then.
    """

    def of(self, chat: str) -> Draft | None:
        """What was begun in a chat, here or on another device."""
        draft = self.kept.get(chat)
        return None if draft is None or draft.gone else draft

    def set(self, chat: str, text: str, reply: str | None = None) -> None:
        """This was begun in a secure chat; `reply` is the hash of the message that is answered.

        With neither it is dropped. Raises `Refused`: MALFORMED, TOO_LARGE beyond 4096 characters, TOO_MANY;
        `wrong_state` while it is locked.
        """
        self._check_open()
        if len(text) > MAX_DRAFT:
            raise Refused(Reason.TOO_LARGE)
        if not is_text(text):
            raise Refused(Reason.MALFORMED)
        if reply is not None and decode_octets(reply, 32) is None:
            raise Refused(Reason.MALFORMED)
        before = self.kept.get(chat)
        if before is None and not text and reply is None:
            return
        if before is None and len(self.kept) >= MOST:
            raise Refused(Reason.TOO_MANY)
        if before is None or (before.text, before.reply) != (text, reply):
            self.kept[chat] = Draft(self._at(before), text, reply)
            self._changed()

    def drop(self, chat: str) -> None:
        """It was sent, or is not wanted any more."""
        self.set(chat, "")

    def restore(self, drafts: Mapping[str, Draft]) -> None:
        """Those of the vault, in which those of here are."""
        before, self.kept = self.kept, dict(drafts)
        for chat in {**before, **self.kept}:
            mine, theirs = before.get(chat), self.of(chat)
            if (None if mine is None or mine.gone else mine) != theirs:
                self._tell(DraftChanged(chat, theirs))
