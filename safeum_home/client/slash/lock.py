"""The commands of the terminal client that open secure chats, and close them."""

from safeum_home.client.desk.desk import Desk
from safeum_home.client.desk.notices import Notice
from safeum_home.client.entry.passphrase_entry import change, unlock
from safeum_home.client.secure.refused import Refused
from safeum_home.client.slash.group_lookup import sure
from safeum_home.client.slash.secure_lookup import unlocked
from safeum_home.client.slash.slash import Mistake, slash
from safeum_home.client.words.secure_words import vault_refused

TAKE = "Go on with what the node has, though it may be older? What is known here stays."
RENEW = "Put what is known here in its place? What other devices have verified since is lost."


@slash(
    "unlock",
    "[new]",
    "open your secure chats: asks for your passphrase; new: it is forgotten",
    lambda _: ["new", "words"],
)
async def _unlock(desk: Desk, argument: str) -> None:
    await unlock(desk, argument)


@slash("passphrase", "", "take another passphrase; all in your secure chats are told")
async def _passphrase(desk: Desk, argument: str) -> None:
    if argument:
        desk.wiped()
        raise Mistake("/passphrase asks for both: they are not written into the command.")
    await change(desk)


@slash("lock", "", "close them: nothing of them stays in memory")
async def _lock(desk: Desk, argument: str) -> None:
    if desk.secure.chats is None:
        raise Mistake("Secure chats are locked.")
    if unsent := len(desk.secure.all_unsent()):
        what = "one message that was" if unsent == 1 else f"{unsent} messages that were"
        if not await sure(desk, f"This forgets {what} not sent yet. Lock?"):
            raise Mistake("Nothing was locked.")
    await desk.secure.lock()
    desk.note("Secure chats are locked: /unlock opens them.")


@slash(
    "vault",
    "[take|renew]",
    "what is kept for you of secure chats, where it is not as it was",
    lambda _: ["take", "renew"],
)
async def _vault(desk: Desk, argument: str) -> None:
    secure = unlocked(desk)
    refused = secure.refused_vault
    if argument not in ("", "take", "renew"):
        raise Mistake("/vault, /vault take or /vault renew")
    if refused is None:
        raise Mistake("It is in order: what is verified here is so on all your devices.")
    if not argument:
        desk.note(vault_refused(refused.reason))
        return
    if not await sure(desk, TAKE if argument == "take" else RENEW):
        raise Mistake("Nothing was changed.")
    try:
        await (secure.accept_vault() if argument == "take" else secure.replace_vault())
    except Refused:
        raise Mistake("It cannot be read, and so not be taken: /vault renew replaces it.") from None
    desk.note("Done. /verify lists whose keys are known, and how well.")


@slash("alarms", "", "what was not as it should be in secure chats")
async def _alarms(desk: Desk, argument: str) -> None:
    lines = desk.secure.alarms.lines()
    desk.secure.alarms.all_seen()
    if not lines:
        desk.note("There was no alarm since you have come.")
        return
    desk.read([Notice(desk.now(), None, line, "alarm", None, 7) for line in lines], "Alarms, the newest last")
