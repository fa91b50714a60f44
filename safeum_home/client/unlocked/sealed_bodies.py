"""How envelopes are carried: as messages of one kind, in groups that take nothing else."""

from safeum_home.client.secure.events import Post, Told
from safeum_home.client.secure.files import sealed_size
from safeum_home.client.secure.payloads import File, Payload
from safeum_home.protocol.files import SealedFile
from safeum_home.protocol.message_types import Deleted
from safeum_home.protocol.types import Message, Notice, Secure


def body_of(post: Post, file: SealedFile | None = None) -> Secure:
    """What is sent, with the file that it tells of."""
    return Secure(post.data, post.quiet, file)


def file_of(payload: Payload) -> SealedFile | None:
    """What the node is told of the file in a payload, so that it lets members have it."""
    return SealedFile(payload.file, sealed_size(payload.size)) if isinstance(payload, File) else None


def told_of(message: Message) -> Told | None:
    """The envelope in a message; None where there is none."""
    body = message.body
    if not isinstance(body, Secure):
        return None
    return Told(message.sender, message.id, body.data, body.quiet)


def is_in_clear(message: Message) -> bool:
    """Whether somebody has said something that nobody has sealed: it is not of the chat."""
    return not isinstance(message.body, Secure | Notice | Deleted)


def joined(message: Message) -> str | None:
    """Who has come into the group, where the node tells that."""
    body = message.body
    return body.who if isinstance(body, Notice) and body.action == "joined" else None
