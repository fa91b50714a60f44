"""The commands of the terminal client that are about files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from safeum_home.client.desk.desk import Desk
from safeum_home.client.desk.progress import Transfer
from safeum_home.client.desk.standing import NOT_KNOWN
from safeum_home.client.files.file_names import free, storable
from safeum_home.client.files.file_transfer import file_in
from safeum_home.client.files.partial_file import partial_path
from safeum_home.client.files.upload import FileTooLarge
from safeum_home.client.slash import secure_files
from safeum_home.client.slash.slash import Mistake, opened, slash
from safeum_home.client.state.chat_view import UNKNOWN, ChatView
from safeum_home.client.words.file_text import size_text
from safeum_home.client.words.text import moment, safe
from safeum_home.client.words.typed_numbers import chosen
from safeum_home.protocol.types import Message

_MARK = "file "
"""What the ids of messages with files begin with among those of the last list."""
T = TypeVar("T")


@slash("send", "FILE [CAPTION]", 'send a file: /send ~/a.pdf, /send "my file.pdf" look at this')
async def _send(desk: Desk, argument: str) -> None:
    view = send_to(desk)
    path, caption = source(argument)

    def send(transfer: Transfer) -> "Deferred[Any]":
        if view.secure:
            return secure_files.send(desk, view, path, caption, transfer)
        return desk.client.send_file(view.chat, path, caption, progress=transfer.moved)

    await under_way(desk, view, f"↑ {path.name}", path, send)
    if not view.secure:  # else it stands there, with what has become of it
        desk.tell(f"Sent: {safe(path.name)}.", chat=view.chat)


@slash("files", "", "the files in this chat, with numbers")
async def _files(desk: Desk, argument: str) -> None:
    found = _of_chat(opened(desk))
    if not found:
        raise Mistake("There is no file in what is loaded of this chat. /history loads older messages.")
    desk.listed = [f"{_MARK}{message.id}" for message in found]
    for number, message in enumerate(found, 1):
        body = file_in(message)
        assert body is not None
        at = moment(message.at)
        by = safe(desk.names.name(message.sender))
        about = f"{safe(body.name)} ({size_text(body.size)}), {by}, {at.day} {at:%b} {at:%H:%M}"
        desk.note(f"{number:3}  {about}", hang=5)
    desk.note("/save NUMBER stores one of them.")


@slash("save", "[NUMBER] [PATH]", "store a file, by its number in /files; without one, the last")
async def _save(desk: Desk, argument: str) -> None:
    view = opened(desk)
    message, where = meant(desk, argument)
    body = file_in(message)
    assert body is not None
    target = _target(where, body.name)

    def save(transfer: Transfer) -> "Deferred[Any]":
        def wipe(failure: Failure) -> Failure:
            if transfer.wiped:
                partial_path(target, body.file).unlink(missing_ok=True)
            return failure

        if view.secure:
            return secure_files.save(desk, view, message, target, transfer)
        return desk.client.download(message, target, progress=transfer.moved).addErrback(wipe)

    await under_way(desk, view, f"↓ {body.name}", target, save)
    desk.tell(f"Stored as {safe(str(target))} ({size_text(body.size)}).", chat=view.chat)


@slash("quota", "", "how much room your files take at your node, and may take")
async def _quota(desk: Desk, argument: str) -> None:
    answer = await desk.client.file_quota()
    used, limit = answer.quota.used, answer.quota.limit
    desk.note(
        f"What you have sent takes {size_text(used)} of {size_text(limit)}: {size_text(max(0, limit - used))}"
        f" are left, and no file may have more than {size_text(answer.largest)}."
    )
    desk.note("Each file counts once. It counts no more when every message with it is deleted: /delete N.")


@slash("stop", "", "give up what is being sent and stored; what is stored so far is gone on with later")
async def _stop(desk: Desk, argument: str) -> None:
    if not desk.transfers.cancel():
        raise Mistake("Nothing is being sent or stored.")


def send_to(desk: Desk) -> ChatView:
    """The open chat, where a file may go there."""
    view = opened(desk)
    if view.of_node:
        raise Mistake("Files are for people: your node takes none here.")
    if view.kind == UNKNOWN:
        raise Mistake(f"Not sent: {NOT_KNOWN}.")
    return view


def source(argument: str) -> tuple[Path, str]:
    """The file that is to be sent, and what follows its name."""
    path, caption = _parted(argument)
    try:
        if not path.is_file():
            raise Mistake(_no_file(path, argument))
    except OSError as error:
        raise Mistake(f"{safe(str(path))}: {error.strerror}.") from None
    return path, caption


async def under_way(
    desk: Desk, view: ChatView, label: str, path: Path, work: Callable[[Transfer], "Deferred[T]"]
) -> T:
    """Do it, with a bar that shows how far it is. Raises `Mistake`, `ClientError`."""
    transfer = desk.transfers.begin(label, desk.now(), view.chat)
    try:
        doing = work(transfer)
        transfer.cancel = doing.cancel
        return await doing
    except CancelledError:
        gone = "a chat was erased, and its files with it"
        raise Mistake(f"Given up: {gone if transfer.wiped else safe(path.name)}.") from None
    except FileExistsError:
        raise Mistake(f"There is a file {safe(str(path))} already.") from None
    except FileTooLarge as error:
        raise _too_large(path, error.most) from None
    except OSError as error:
        raise Mistake(f"{safe(str(path))}: {error.strerror}.") from None
    finally:
        desk.transfers.end(transfer)
        desk.refresh()


def _too_large(path: Path, most: int) -> Mistake:
    size = size_text(path.stat().st_size)
    return Mistake(f"{safe(path.name)} is too large, with {size}: your node takes {size_text(most)}.")


def _of_chat(view: ChatView) -> list[Message]:
    return [message for message in view.messages if file_in(message) is not None]


def _type(message: Message) -> str:
    body = file_in(message)
    return "" if body is None else body.type


def _parted(argument: str) -> tuple[Path, str]:
    """The path, which may be in quotes, and all that follows it, as it stands."""
    if not argument:
        raise Mistake("Which file? /send FILE, and what is to be said of it.")
    if argument[0] in "\"'":
        path, closed, caption = argument[1:].partition(argument[0])
        if not closed:
            raise Mistake("There is a quotation mark without its other one.")
    else:
        path, _, caption = argument.partition(" ")
    return _expanded(path), caption.strip()


def _no_file(path: Path, argument: str) -> str:
    """Why that cannot be sent."""
    if path.is_dir():
        return f"{safe(str(path))} is a folder: files are sent one by one."
    if path.exists():
        return f"{safe(str(path))} is no file that could be sent."
    if argument[0] not in "\"'" and " " in argument:
        hint = 'A name with blanks goes in quotation marks: /send "my file.pdf"'
        return f"There is no file {safe(str(path))}. {hint}"
    return f"There is no file {safe(str(path))}."


def meant(desk: Desk, argument: str, kind: str = "") -> tuple[Message, str]:
    """Which message's file, and what follows its number; without one the last of a kind of media types."""
    found = {message.id: message for message in _of_chat(opened(desk))}
    number, _, where = argument.partition(" ")
    if not number.isdecimal():
        fitting = [each for each in found.values() if _type(each).startswith(kind)]
        if not fitting:
            raise Mistake(f"There is no {'sound' if kind else 'file'} in what is loaded of this chat.")
        return fitting[-1], argument
    listed = [each.removeprefix(_MARK) for each in desk.listed if each.startswith(_MARK)]
    if (id := chosen(number, listed)) not in found:
        raise Mistake("Which one? /files numbers them.")
    return found[id], where.strip()


def _target(where: str, name: str) -> Path:
    """Where to store a file that somebody else has named: nothing that is there is replaced."""
    if not where:
        return free(Path(), storable(name))
    path = _expanded(where)
    try:
        return free(path, storable(name)) if path.is_dir() else path
    except OSError as error:
        raise Mistake(f"{safe(str(path))}: {error.strerror}.") from None


def _expanded(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:  # nobody is called that here
        return Path(text)
