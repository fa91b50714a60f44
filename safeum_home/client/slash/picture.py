"""The terminal client's command about pictures. A file is written only where one is named."""

from pathlib import Path

from safeum_home.client.desk.desk import Desk
from safeum_home.client.errors import RemoteProblem
from safeum_home.client.files.small_files import read_up_to
from safeum_home.client.slash.slash import Mistake, find, people, slash
from safeum_home.client.words.text import safe
from safeum_home.errors import Code, Problem
from safeum_home.images import Picture, clean
from safeum_home.images.turned import turned
from safeum_home.protocol.types import MAX_AVATAR, MAX_AVATAR_SIDE, Contact, ContactState

_ENDINGS = (".jpg", ".jpeg", ".png", ".webp")
_MOST = 32 * 1024 * 1024
"""Octets of a file that is worth looking into; more than a camera makes."""
_SCALING = "convert PHOTO.jpg -auto-orient -thumbnail 256x256 SMALL.jpg"


def _pictures(desk: Desk) -> list[str]:
    return ["none", *people(ContactState.ACCEPTED)(desk)]


@slash("avatar", "[FILE|NAME]", "set your picture, or look at a contact's", _pictures)
async def _avatar(desk: Desk, argument: str) -> None:
    name, _, file = argument.rpartition(" ")
    if argument == "none":
        await desk.client.remove_avatar()
        desk.note("You have no picture now.")
    elif _is_path(argument) and (not name or not _is_path(file) or _path(argument).is_file()):
        await _set(desk, _path(argument))
    elif name and _is_path(file):
        await _save(desk, find(desk, name), _path(file))
    else:
        await _tell(desk, find(desk, argument) if argument else None)


def _is_path(text: str) -> bool:
    """A file is told from a name by a slash in it, or by its ending: never by what files there are."""
    return "/" in text or text.lower().endswith(_ENDINGS)


def _path(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:  # nobody is called that here
        return Path(text)


async def _set(desk: Desk, path: Path) -> None:
    data = _read(path)
    try:
        picture = clean(data, most=2**31)
    except Problem as problem:
        if problem.code is Code.ANIMATED_IMAGE:
            raise Mistake("This picture moves; one that does not is needed.") from None
        raise Mistake(f"{safe(path.name)} cannot be used: {problem.detail}.") from None
    if max(picture.width, picture.height) > MAX_AVATAR_SIDE:
        most = f"{MAX_AVATAR_SIDE}x{MAX_AVATAR_SIDE}"
        raise Mistake(
            f"This picture has {picture.width}x{picture.height} pixels, and {most} is the most."
            f" Scale it down first, as with: {_SCALING}"
        )
    if len(picture.data) > MAX_AVATAR:
        raise Mistake(
            f"This picture has {_kib(picture.data)}, and {MAX_AVATAR // 1024} KiB is the most."
            f" Scale it down first, as with: {_SCALING}"
        )
    if turned(data):
        # Which way is up is told beside the picture, together with the place and the camera.
        raise Mistake(f"This picture would be shown lying. Turn it first, as with: {_SCALING}")
    await desk.client.set_avatar(picture.data)
    taken_out = len(data) - len(picture.data)
    hint = " What was in it besides the picture was left out." if taken_out > 0 else ""
    desk.note(f"Your contacts see your picture now: {_about(picture)}.{hint}")


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise Mistake(f"There is no file {safe(str(path))}.")
        data = read_up_to(path, _MOST)
    except OSError as error:
        raise Mistake(f"{safe(str(path))} cannot be read: {error.strerror}.") from None
    if data is None:
        raise Mistake(f"{safe(str(path))} is too large for a picture.")
    return data


async def _tell(desk: Desk, contact: Contact | None) -> None:
    picture = await _get(desk, contact)
    if contact is None:
        desk.note(f"Your picture: {_about(picture)}. /avatar none takes it away.")
    else:
        login = desk.names.short(contact.address)
        saving = f"/avatar {login} FILE saves it"
        desk.note(f"The picture of {desk.names.full(contact)}: {_about(picture)}. {saving}.")


async def _save(desk: Desk, contact: Contact, path: Path) -> None:
    picture = await _get(desk, contact)
    try:
        with path.open("xb") as file:
            file.write(picture.data)
    except FileExistsError:
        raise Mistake(f"There is a file {safe(str(path))} already.") from None
    except OSError as error:
        raise Mistake(f"{safe(str(path))} cannot be written: {error.strerror}.") from None
    desk.note(f"Saved as {safe(str(path))}: {_about(picture)}.")


async def _get(desk: Desk, contact: Contact | None) -> Picture:
    """The picture of a contact, or one's own, as far as it is one."""
    account = None if contact is None else contact.account
    whose = "You have" if contact is None else f"{desk.names.full(contact)} has"
    try:
        avatar = (await desk.client.profile(account)).profile.avatar
        if avatar is None:
            raise Mistake(f"{whose} no picture.")
        found = await desk.client.avatar(avatar, account)
        return clean(found.data, found.type)
    except RemoteProblem as error:
        if error.of(Code.NOT_FOUND):
            raise Mistake(f"{whose} no picture for you to see.") from None
        raise
    except Problem:
        raise Mistake("The node sent what is not a picture.") from None


def _about(picture: Picture) -> str:
    kind = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WebP"}[picture.type]
    return f"{kind}, {picture.width}x{picture.height}, {_kib(picture.data)}"


def _kib(data: bytes) -> str:
    return f"{max(1, round(len(data) / 1024))} KiB"
