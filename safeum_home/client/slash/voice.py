"""The commands of the terminal client that are about voice notes: sent from a file, and heard."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from safeum_home.client.desk.desk import Desk
from safeum_home.client.desk.phone import NOT_INSTALLED
from safeum_home.client.desk.playing import until_over
from safeum_home.client.desk.progress import Transfer
from safeum_home.client.errors import NoMedia
from safeum_home.client.files.file_transfer import file_in
from safeum_home.client.slash import secure_files
from safeum_home.client.slash.files import meant, send_to, source, under_way
from safeum_home.client.slash.slash import Mistake, opened, slash
from safeum_home.client.unlocked.chat_files import MOST_SOUND
from safeum_home.client.words.text import length, safe

if TYPE_CHECKING:
    from safeum_home.client.webrtc.voice_notes import VoiceNote


@slash("voice", "FILE", "send a sound file as a voice note")
async def _voice(desk: Desk, argument: str) -> None:
    view = send_to(desk)
    path, _ = source(argument)
    note = await _note(desk, path)
    name = f"voice{path.suffix}"

    def send(transfer: Transfer) -> "Deferred[Any]":
        if view.secure:
            return secure_files.send_voice(desk, view, path, name, note, transfer)
        about: dict[str, Any] = {"name": name, "duration": note.duration}
        return desk.client.send_file(view.chat, path, progress=transfer.moved, **about)

    await under_way(desk, view, f"↑ {path.name}", path, send)
    if not view.secure:  # else it stands there, with what has become of it
        desk.tell(f"Sent: a voice note of {length(note.duration / 1000)}.", chat=view.chat)


async def _note(desk: Desk, path: Path) -> "VoiceNote":
    try:
        from safeum_home.client.webrtc.voice_notes import voice_note
    except ImportError:
        raise Mistake(f"{NOT_INSTALLED}; /send sends it as a file.") from None
    try:
        note: VoiceNote = await desk.secure.in_thread(lambda: voice_note(path))
    except (NoMedia, OSError) as error:
        raise Mistake(f"{safe(str(path))}: {safe(str(error))}.") from None
    return note


@slash("play", "[NUMBER]", "hear a voice note, by its number in /files; without one, the last sound")
async def _play(desk: Desk, argument: str) -> None:
    view = opened(desk)
    message, _ = meant(desk, argument, "audio/")
    body = file_in(message)
    assert body is not None
    if not body.type.startswith("audio/"):
        raise Mistake(f"{safe(body.name)} is no sound: /save stores it.")
    if body.size > MOST_SOUND:
        raise Mistake(f"{safe(body.name)} is too large to be heard from memory: /save stores it.")
    play = desk.calls.phone.play
    if play is None:
        why = NOT_INSTALLED if desk.calls.phone.why else "It cannot be played here"
        raise Mistake(f"{why}; /save stores it.")

    def fetch(transfer: Transfer) -> "Deferred[Any]":
        if view.secure:
            return secure_files.sound(desk, view, message)
        return desk.client.sound_of(message)

    octets: bytes = await under_way(desk, view, f"↓ {body.name}", Path(body.name), fetch)
    desk.note(f"Playing {safe(body.name)}. /stop ends it.", about=view.chat)
    await until_over(desk, play(octets), body.name, view.chat)
