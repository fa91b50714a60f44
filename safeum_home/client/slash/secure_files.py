"""Files of secure chats at a desk: encrypted on their way out, and decrypted as they come."""

from pathlib import Path
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from safeum_home.client.desk.desk import Desk
from safeum_home.client.desk.progress import Transfer
from safeum_home.client.files.partial_file import partial_path
from safeum_home.client.secure.payloads import File
from safeum_home.client.secure.refused import Refused
from safeum_home.client.slash.secure_lookup import item_of, within
from safeum_home.client.slash.slash import Mistake
from safeum_home.client.state.chat_view import ChatView
from safeum_home.client.unlocked.items import Item
from safeum_home.client.words.secure_words import not_said
from safeum_home.protocol.types import Message

if TYPE_CHECKING:
    from safeum_home.client.webrtc.voice_notes import VoiceNote

DAMAGED = (
    "What the node has is not the file that was sent: nothing of it was stored. A node in between is not to"
    " be trusted; have it sent again."
)


def send(desk: Desk, view: ChatView, path: Path, caption: str, transfer: Transfer) -> "Deferred[object]":
    """Raises `Mistake` where the chat is not open, `Refused`, and as `ChatFiles.send`."""
    sending = within(desk, view).files.send(path, caption, progress=transfer.moved)
    return _deferred(sending).addErrback(_refused)


def send_voice(
    desk: Desk, view: ChatView, path: Path, name: str, note: "VoiceNote", transfer: Transfer
) -> "Deferred[object]":
    """The same with a voice note."""
    files = within(desk, view).files
    sending = files.send_voice(path, note.duration, note.wave, name=name, progress=transfer.moved)
    return _deferred(sending).addErrback(_refused)


def sound(desk: Desk, view: ChatView, message: Message) -> "Deferred[object]":
    """What is in a voice note, in memory alone. Raises `Mistake` as `save`, and as `ChatFiles.sound_of`."""
    conversation, item, _ = item_of(desk, view, message)
    return _deferred(conversation.files.sound_of(item)).addErrback(_damaged)


def save(
    desk: Desk, view: ChatView, message: Message, target: Path, transfer: Transfer
) -> "Deferred[object]":
    """Raises `Mistake` where it cannot be read, or is not what was sent, and as `ChatFiles.save`."""
    conversation, item, _ = item_of(desk, view, message)
    saving = conversation.files.save(item, target, progress=transfer.moved)
    return _deferred(saving).addErrback(_wiped, item, target, transfer).addErrback(_damaged)


def _deferred(waiting: object) -> "Deferred[object]":
    assert isinstance(waiting, Deferred)
    return waiting


def _refused(failure: Failure) -> Failure:
    if isinstance(failure.value, Refused):
        raise Mistake(not_said(failure.value.reason))
    return failure


def _damaged(failure: Failure) -> Failure:
    if isinstance(failure.value, Refused):
        raise Mistake(DAMAGED)
    return failure


def _wiped(failure: Failure, item: Item, target: Path, transfer: Transfer) -> Failure:
    if transfer.wiped and isinstance(item.payload, File):
        partial_path(target, item.payload.hash).unlink(missing_ok=True)
    return failure
