"""The commands of the terminal client for the voicemail."""

from pathlib import Path

from safeum_home.client.desk.desk import Desk
from safeum_home.client.desk.phone import NOT_INSTALLED
from safeum_home.client.desk.playing import until_over
from safeum_home.client.errors import NoMedia, RemoteProblem
from safeum_home.client.files.file_names import free, storable
from safeum_home.client.files.small_files import read_up_to
from safeum_home.client.slash.slash import Mistake, connected, slash
from safeum_home.client.words.telephone_numbers import shown
from safeum_home.client.words.text import duration, safe, stamp
from safeum_home.client.words.typed_numbers import chosen
from safeum_home.client.words.voicemail_words import file_name, length, rule_words
from safeum_home.errors import Code
from safeum_home.protocol.types import Message
from safeum_home.protocol.voicemail_types import Voicemail

SHOWN = 100
MOST_FILE = 16 * 1024**2
"""Octets of a sound file that a greeting is made of."""
RULES = {
    "no-answer": "no_answer",
    "busy": "busy",
    "declined": "declined",
    "offline": "offline",
    "always": "always",
}
_WORDS = ("play", "save", "delete", "on", "off", "greeting", *RULES)


@slash(
    "voicemail",
    "[play|save|delete N]",
    "what callers have left; on, off, busy off, always on, greeting FILE change it",
    lambda _: list(_WORDS),
)
async def _voicemail(desk: Desk, argument: str) -> None:
    word, _, rest = argument.partition(" ")
    rest = rest.strip()
    connected(desk, "your node was not asked")
    if not word:
        await _list(desk)
    elif word in _ON_ONE:
        await _ON_ONE[word](desk, *await _meant(desk, rest))
    elif word in ("on", "off"):
        await _rule(desk, enabled=word == "on")
    elif word in RULES and rest in ("on", "off"):
        await _rule(desk, **{RULES[word]: rest == "on"})
    elif word == "greeting":
        await _greeting(desk, rest)
    else:
        raise Mistake(f"Which? /voicemail {', '.join(_WORDS)}; as /voicemail busy off.")


async def _list(desk: Desk) -> None:
    told, found = await desk.client.voicemail(), await _left(desk)
    desk.note(rule_words(told))
    for number, message in enumerate(found, 1):
        body = _body(message)
        left = duration(max(0, body.until - desk.now()) / 1000)
        about = f"{stamp(body.at, desk.now())}  {shown(body.caller)}, {length(body)}; kept for {left} more"
        desk.note(f"{number:3}  {about}", hang=5)
    desk.note("/voicemail play N, save N [PATH], delete N." if found else "Nobody has left a message.")


async def _rule(desk: Desk, **rule: bool) -> None:
    desk.note(rule_words(await desk.client.set_voicemail(**rule)))


async def _play(desk: Desk, message: Message, rest: str) -> None:
    play = desk.calls.phone.play
    if play is None:
        raise Mistake(
            f"{NOT_INSTALLED}; /voicemail save stores it."
            if desk.calls.phone.why
            else "It cannot be played here."
        )
    octets = await desk.client.sound_of(message)
    body = _body(message)
    desk.note(f"Playing the message of {shown(body.caller)}, {length(body)}. /stop ends it.")
    await until_over(desk, play(octets), "voicemail")
    await desk.client.read(message.chat, message.id)


async def _save(desk: Desk, message: Message, rest: str) -> None:
    target = _target(rest, storable(file_name(_body(message))))
    try:
        size = await desk.client.download(message, target)
    except FileExistsError:
        raise Mistake(f"There is a file {safe(str(target))} already.") from None
    except OSError as error:
        raise Mistake(f"{safe(str(target))}: {error.strerror}.") from None
    desk.note(f"Stored as {safe(str(target))} ({size} octets). It stays there when your node has it no more.")


def _target(where: str, name: str) -> Path:
    path = Path(where).expanduser() if where else Path()
    return free(path, name) if path.is_dir() else path


async def _delete(desk: Desk, message: Message, rest: str) -> None:
    await desk.client.delete(message.chat, message.id)
    desk.note(f"Deleted: the message of {shown(_body(message).caller)}.")


_ON_ONE = {"play": _play, "save": _save, "delete": _delete}


async def _greeting(desk: Desk, what: str) -> None:
    if not what:
        raise Mistake("Which? /voicemail greeting FILE, or play, or standard.")
    if what == "standard":
        await desk.client.remove_greeting()
        desk.note("Callers hear your node's greeting.")
        return
    if what == "play":
        if desk.calls.phone.play is None:
            raise Mistake(f"It cannot be played here. {desk.calls.phone.why}".strip())
        kept = await desk.client.greeting()
        await until_over(desk, desk.calls.phone.play(kept.data), "voicemail")
        return
    try:
        await desk.client.set_greeting(_made(what))
    except RemoteProblem as error:
        if error.of(Code.BAD_GREETING):
            raise Mistake("This is no greeting: a sound file with up to 30 seconds of speech.") from None
        raise
    desk.note("Callers hear this greeting from now on.")


def _made(name: str) -> bytes:
    """A file as a greeting: a small one, where it can be made smaller here."""
    path = Path(name).expanduser()
    try:
        octets = read_up_to(path, MOST_FILE)
    except OSError as error:
        raise Mistake(f"{safe(str(path))}: {error.strerror}.") from None
    if octets is None:
        raise Mistake("That is too large for a greeting.")
    try:
        from safeum_home.client.webrtc.playback import greeting
    except ImportError:
        return octets
    try:
        return greeting(octets)
    except NoMedia as error:
        raise Mistake(f"{safe(str(path))}: {safe(str(error))}.") from None


async def _left(desk: Desk) -> list[Message]:
    """What callers have left and is kept, the newest first."""
    found = (await desk.client.history(await _chat(desk), limit=SHOWN)).messages
    kept = [each for each in found if isinstance(each.body, Voicemail) and each.body.until > desk.now()]
    return kept[::-1]


async def _chat(desk: Desk) -> str:
    return (await desk.client.voicemail()).chat


async def _meant(desk: Desk, text: str) -> tuple[Message, str]:
    number, _, rest = text.partition(" ")
    found = await _left(desk)
    if (message := chosen(number, found)) is None:
        raise Mistake("Which one? /voicemail numbers them.")
    return message, rest.strip()


def _body(message: Message) -> Voicemail:
    assert isinstance(message.body, Voicemail)
    return message.body
