"""Asking a person for the passphrase of secure chats: it is never shown, kept, or told to anybody."""

from collections.abc import Awaitable, Callable
from functools import partial

from safeum_home.client.desk.desk import Desk
from safeum_home.client.desk.notices import Notice
from safeum_home.client.entry.own_passphrase import is_own
from safeum_home.client.secure import passphrase
from safeum_home.client.secure.passphrase import Strength
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.slash.group_lookup import sure
from safeum_home.client.slash.secure_lookup import unlocked
from safeum_home.client.slash.slash import Mistake
from safeum_home.protocol.signing import encode_octets

TRIES = 3
_COLUMNS = 3
"""In which words are shown."""
NEW = (
    "You have no passphrase yet. All that is said in your secure chats hangs on it: it is stored nowhere,"
    " and nobody can give it back to you. Choose a sentence that nobody else would say, or type `words` to"
    " have 12 chosen for you."
)
OTHERS = (
    "This account gets another security key. Everybody in your secure chats is told, and has to compare"
    " with you again; what was sealed for the key before cannot be read any more."
)
CHANGE = (
    "Everybody in your secure chats is told, by the word of the passphrase of now; what was said before can"
    " be read on. The one of now is good for nothing then."
)
_NOT_CHANGED = {
    Reason.OLD_KEYS: "That one was your passphrase before: take one that was not. Nothing was changed."
}
_NOT_CHANGED_ELSE = "What your node keeps for you has to be in order first: /vault. Nothing was changed."
WRONG = "That is not the passphrase of this account."


async def unlock(desk: Desk, argument: str) -> None:
    """Ask, and open the secure chats. Raises `Mistake`, `ClientError`."""
    if desk.secure.chats is not None:
        raise Mistake("Secure chats are unlocked already: /lock locks them.")
    if argument not in ("", "new", "words"):
        desk.wiped()  # it is not to be found among what was entered before
        raise Mistake("/unlock asks for your passphrase: it is not written into the command.")
    asked = desk.questions.meanwhile(desk.client.keys_of([desk.state.account]))
    [known] = (await asked).keys
    if known.hash is None:
        text = await chosen(desk, NEW, argument == "words")
        await _open(desk, await desk.questions.meanwhile(_derived(desk, text)))
        return
    if argument == "words":
        raise Mistake("This account has a passphrase already: /unlock asks for it.")
    if argument == "new":
        await _replace(desk)
        return
    hash = known.hash
    key = await _right(desk, "Passphrase", lambda text: _own(desk, text, hash))
    if key is None:
        raise Mistake("Still locked. /unlock tries again; where the passphrase is forgotten: /unlock new")
    await _open(desk, key)


async def _right(
    desk: Desk, question: str, key_of: Callable[[str], Awaitable[UniqueKey | None]]
) -> UniqueKey | None:
    """What `key_of` says of what is typed; None where it was given up.

    It is asked for again at once: who has mistyped it types it anew, and that must not become a message.
    """
    for left in reversed(range(TRIES)):
        text = await desk.questions.ask(question, hidden=True)
        if not text.strip():
            return None
        wrong = WRONG
        try:
            if (key := await desk.questions.meanwhile(key_of(text))) is not None:
                return key
        except Mistake as mistake:
            wrong = str(mistake)
        desk.note(f"{wrong} Once more; an empty line gives up." if left else wrong, "error")
    return None


async def given(desk: Desk, text: str) -> None:
    """Unlock with a passphrase that was not typed: never with a first one, which may be mistyped there."""
    try:
        [known] = (await desk.client.keys_of([desk.state.account])).keys
        if known.hash is None:
            raise Mistake("This account has no passphrase yet: /unlock takes one.")
        key = await _own(desk, text, known.hash)
        if key is None:
            raise Mistake(f"{WRONG} /unlock tries again.")
        await _open(desk, key)
    except Mistake as mistake:
        desk.note(f"{mistake}", "error")


async def _own(desk: Desk, text: str, known: str) -> UniqueKey | None:
    """The key of a passphrase; None where that is not the one of the keys with the hash `known`."""
    key = await _derived(desk, text, known)
    if await is_own(desk.client, key, known):
        return key
    key.wipe()
    return None


async def _replace(desk: Desk) -> None:
    """It was forgotten."""
    desk.note(OTHERS)
    if not await sure(desk, "Take another passphrase?"):
        raise Mistake("Nothing was changed.")
    key = await desk.questions.meanwhile(_derived(desk, await chosen(desk, "", False)))
    desk.secure.replacing = True
    try:
        secure = await desk.secure.unlock(key)
        await secure.replace_keys()
    finally:
        desk.secure.replacing = False
    desk.note("Unlocked, with another security key. All in your secure chats are told.")


async def change(desk: Desk) -> None:
    """Take another passphrase, with the word of the one of now. Raises `Mistake`, `ClientError`."""
    secure = unlocked(desk)

    async def of_now(text: str) -> UniqueKey | None:
        key = await _derived(desk, text, encode_octets(secure.own.hash))
        if key.hash == secure.own.hash:
            return key
        key.wipe()
        return None

    known = await _right(desk, "Passphrase of now", of_now)
    if known is None:
        raise Mistake("Nothing was changed.")
    known.wipe()
    desk.note(CHANGE)
    new = await desk.questions.meanwhile(_derived(desk, await chosen(desk, "", False)))
    try:
        await secure.change_key(new)
    except Refused as refused:
        raise Mistake(_NOT_CHANGED.get(refused.reason, _NOT_CHANGED_ELSE)) from None
    desk.note(
        "From now on it is the other passphrase. Whoever has verified you has to compare with you again."
    )


async def _open(desk: Desk, key: UniqueKey) -> None:
    desk.secure.unlocking = True
    try:
        await desk.secure.unlock(key)
    finally:
        desk.secure.unlocking = False
    desk.note("Secure chats are unlocked. /lock locks them, and so does leaving.")


async def _derived(desk: Desk, text: str, known: str | None = None) -> UniqueKey:
    """The key that follows from a passphrase. Raises `Mistake` for one that is too weak to be anybody's, but
    of the keys with the hash `known`."""
    account, stretch = desk.state.account, desk.secure.stretch
    desk.secure.unlocking = True
    desk.refresh()
    try:
        key: UniqueKey = await desk.secure.in_thread(lambda: stretch(account, text, known))
        return key
    except Refused:
        raise Mistake("That is no passphrase of secure chats: too weak, or too long.") from None
    except MemoryError:
        raise Mistake("Deriving the key takes 256 MiB of memory, which are not free.") from None
    finally:
        desk.secure.unlocking = False
        desk.refresh()


async def chosen(desk: Desk, about: str, generate: bool) -> str:
    """A new passphrase, which was typed twice. Raises `Mistake`."""
    if about:
        desk.note(about)
    while not generate:
        text = await desk.questions.ask("New passphrase, or `words`", hidden=True)
        if not text.strip():
            raise Mistake("No passphrase was chosen.")
        if text.strip().casefold() == "words":
            break
        weighed = desk.secure.in_thread(partial(passphrase.strength, text))
        strength: Strength = await desk.questions.meanwhile(weighed)
        desk.note(strength_words(strength), "notice" if strength.enough else "error")
        if strength.enough:
            return await _again(desk, text, "Once more")
    text = passphrase.words()
    desk.read(_shown(desk, text), "Your passphrase")
    await desk.questions.ask("Enter, once they are written down")
    desk.read([])
    return await _again(desk, text, "Now type them")


async def _again(desk: Desk, text: str, question: str) -> str:
    for left in reversed(range(TRIES)):
        given = await desk.questions.ask(question, hidden=True)
        if passphrase.normal(given) == passphrase.normal(text):
            return text
        if not given.strip() or not left:
            break
        desk.note("That is not the same. Once more; an empty line gives up.", "error")
    raise Mistake("No passphrase was chosen: /unlock begins anew.")


def strength_words(strength: Strength) -> str:
    """How strong a passphrase is, for its owner. What zxcvbn has to say of it is its own."""
    guesses = f"about 10^{int(strength.guesses)} guesses"
    if strength.enough:
        return f"Strong enough: {guesses}. With 10^20 and more nobody finds it by trying."
    advice = f" {strength.advice}" if strength.advice else ""
    return f"Too weak: {guesses}, and 10^{int(passphrase.FLOOR)} are needed.{advice} Take more words."


def _shown(desk: Desk, text: str) -> list[Notice]:
    listed = [f"{number:3} {word:10}" for number, word in enumerate(text.split(), 1)]
    rows = [listed[at : at + _COLUMNS] for at in range(0, len(listed), _COLUMNS)]
    lines = [
        "These words are your passphrase. Write them down, on paper, in this order:",
        "",
        *("   ".join(row) for row in rows),
        "",
        "They are shown this once, and are stored nowhere: without them nobody, nor you, can read your secure"
        " chats. Whoever has them can.",
    ]
    return [Notice(desk.now(), None, line, "help") for line in lines]
