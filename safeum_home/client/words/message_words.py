"""A message in words: what it says, what it answers, what became of it. All of it comes from others."""

from collections.abc import Callable

from safeum_home.client.state.chat_view import ChatView
from safeum_home.client.words.file_text import file_text
from safeum_home.client.words.group_words import notice_text
from safeum_home.client.words.names import Names, within
from safeum_home.client.words.text import safe
from safeum_home.client.words.voicemail_words import voicemail_text
from safeum_home.protocol.files import File
from safeum_home.protocol.message_types import Deleted, Unknown
from safeum_home.protocol.types import Message, Notice, NumberClaim, Secure, Text, Voicemail

QUOTED = 60
"""Characters that are shown of a message which is answered."""


def body_text(message: Message, called: Callable[[str], str] = safe) -> str:
    """A message as text that is safe to show; its line breaks are kept. `called` names accounts, safely."""
    body = message.body
    if isinstance(body, Text):
        return safe(body.text, newlines=True)
    if isinstance(body, NumberClaim):
        return _claim_text(body)
    if isinstance(body, File):
        return file_text(body)
    if isinstance(body, Deleted):
        return "[deleted]"
    if isinstance(body, Unknown):
        return f"[{safe(body.kind)[:64]}]: {safe(body.text, newlines=True)}".removesuffix(": ")
    if isinstance(body, Voicemail):
        return voicemail_text(body)
    if isinstance(body, Secure):
        return "[sealed: /unlock]"
    if isinstance(body, Notice):
        return notice_text(body, called)
    return f"New login: {safe(body.name)} on {safe(body.system)}"


def whole_text(message: Message, view: ChatView, names: Names) -> str:
    """The same with all that stands around it: a line above for each thing that it refers to."""
    lines = []
    if message.forwarded is not None:
        author = message.forwarded.author
        lines.append(f"[forwarded from {within(names.name(author))}]" if author else "[forwarded]")
    if message.reply_to is not None:
        lines.append(f"↪ {quoted(message.reply_to, view, names)}")
    if message.mentions:
        called = ", ".join(within(names.name(each)) for each in message.mentions)
        lines.append(f"@ {called}")
    text = body_text(message, names.name)
    if message.edited is not None:
        text += " (edited)"
    if message.id in view.pinned:
        text += " 📌"
    lines.append(text)
    if message.reactions:
        lines.append(
            "  ".join(_reaction(message, safe(each.emoji), each.count) for each in message.reactions)
        )
    return "\n".join(lines)


def quoted(answered: str, view: ChatView, names: Names) -> str:
    """The beginning of a message that is answered, as far as it is held."""
    place = view.place(answered)
    if place < 0:
        return "an earlier message"
    message = view.messages[place]
    words = " ".join(body_text(message, names.name).split())
    short = words if len(words) <= QUOTED else words[: QUOTED - 1] + "…"
    return f"{names.name(message.sender)}: {short}"


def _reaction(message: Message, emoji: str, count: int) -> str:
    mine = "*" if message.mine is not None and safe(message.mine) == emoji else ""
    return f"{emoji} {count}{mine}"


def _claim_text(body: NumberClaim) -> str:
    if body.state == "moved":
        return "Your number has gone to a new account. Log in with this account's id now: see /profile."
    return (
        "Somebody else has proved to hold your number, and asks for it. /keep keeps it,"
        " and so does logging in to this account."
    )
