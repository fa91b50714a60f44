"""What goes first where a vault is full: never keys, nor what shows that something comes again.

Traces of drafts and settings that were dropped a month ago go always, and drafts beyond `ROOM_FOR_DRAFTS`.
Where it is too large then: drafts; epochs and former rosters; all streams of an account but the newest;
settings. Of each kind the oldest go first, and no more than has to. Keys, and who is in which chat, stay:
they fit, or it is refused.
"""

from collections.abc import Callable
from typing import TypeVar

import msgspec
from msgspec import structs

from safeum_home.client.secure import strict_json
from safeum_home.client.secure.chat_memory import ChatMemory, newest_streams
from safeum_home.client.secure.octets import malformed
from safeum_home.client.secure.vault_content import MOST_SETTINGS, Content, Draft, Setting

T = TypeVar("T")
K = TypeVar("K", Draft, Setting)
TRACE = 30 * 24 * 3600 * 1000
"""Milliseconds for which it is known that a draft, or a setting, was dropped: others may not know it yet."""
ROOM_FOR_DRAFTS = 192 * 1024
"""Octets in JSON."""
_encoder = msgspec.json.Encoder(order="sorted")
_decoder = msgspec.json.Decoder(Content)


def encode(content: Content) -> bytes:
    """As it is sealed."""
    return _encoder.encode(content)


def decode(octets: bytes) -> Content:
    """What was sealed; raises `Refused(MALFORMED)`."""
    strict_json.check(octets)
    try:
        content = _decoder.decode(octets)
    except (msgspec.DecodeError, RecursionError):
        raise malformed() from None
    content.own.check()
    return content


def fitted(content: Content, now: int, room: int) -> Content:
    """As much of it as has room in so many octets; `now` is in milliseconds. It may be more all the same."""
    drafts, settings = _untraced(content.drafts, now), _untraced(content.settings, now)
    settings = dict(sorted(settings.items(), key=_latest)[:MOST_SETTINGS])
    drafts, _ = _reduced(drafts, _at, _gone, len(_encoder.encode(drafts)) - ROOM_FOR_DRAFTS)
    content = structs.replace(content, drafts=drafts, settings=settings)
    over = len(encode(content)) - room
    if over <= 0:
        return content
    drafts, over = _reduced(drafts, _at, _gone, over)
    chats, over = _reduced(content.chats, _since, _bare, over)
    chats, over = _reduced(chats, _since, _of_one_stream, over)
    settings, over = _reduced(settings, _at, _gone, over)
    return structs.replace(content, drafts=drafts, settings=settings, chats=chats)


def _reduced(
    entries: dict[str, T], age: Callable[[T], int], smaller: Callable[[T], T | None], over: int
) -> tuple[dict[str, T], int]:
    """With the oldest made smaller, or left out for None, until `over` octets are saved; and what is not."""
    left = dict(entries)
    for name, entry in sorted(entries.items(), key=lambda item: (age(item[1]), item[0])):
        if over <= 0:
            break
        after = smaller(entry)
        over -= len(_encoder.encode(entry))
        if after is None:
            del left[name]
            over -= len(_encoder.encode(name)) + 1
        else:
            left[name] = after
            over += len(_encoder.encode(after))
    return left, over


def _untraced(entries: dict[str, K], now: int) -> dict[str, K]:
    return {name: each for name, each in entries.items() if not (each.gone and each.at < now - TRACE)}


def _latest(item: tuple[str, Setting]) -> tuple[bool, int, str]:
    name, setting = item
    return setting.gone, -setting.at, name


def _at(entry: Draft | Setting) -> int:
    return entry.at


def _since(memory: ChatMemory) -> int:
    return memory.since


def _gone(_entry: Draft | Setting) -> None:
    return None


def _bare(memory: ChatMemory) -> ChatMemory:
    return structs.replace(memory, epochs=[], former=[])


def _of_one_stream(memory: ChatMemory) -> ChatMemory:
    newest = {account: newest_streams(each, 1) for account, each in memory.streams.items()}
    return structs.replace(memory, streams=newest)
