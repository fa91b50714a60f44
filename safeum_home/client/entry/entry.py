"""Logging in and signing up by a person: asking for what is not known, and again where it is refused."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from safeum_home.client.desk.phone import NO_PHONE, Phone
from safeum_home.client.entry.number_entry import enter_by_number
from safeum_home.client.entry.pins import RULE, BadPin, is_pin
from safeum_home.client.entry.policy_entry import agree, renew
from safeum_home.client.errors import RemoteProblem
from safeum_home.client.futures import future
from safeum_home.client.session import Client
from safeum_home.client.words.text import explain
from safeum_home.errors import Code, Problem
from safeum_home.ids import address, is_number
from safeum_home.protocol.types import DeviceInfo

TRIES = 5
ANOTHER_LOGIN = (Code.USERNAME_TAKEN, Code.INVALID_USERNAME)
ANOTHER_PASSWORD = (Code.WEAK_PASSWORD, Code.INVALID_PARAMS)
ANOTHER_NUMBER = (Code.INVALID_NUMBER, Code.SMS_UNAVAILABLE, Code.VERIFICATION_OVER, Code.RATE_LIMITED)
ADMISSION = (Code.CONSENT_NEEDED, Code.INVITE_NEEDED)


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line said."""

    node: str
    ca: bytes | None
    login: str | None
    password: str | None
    """Read from the descriptor that was named; None means that there is a person to be asked."""
    device: DeviceInfo
    new_password: str | None = None
    """For a change, read from the same descriptor."""
    agree: str | None = None
    """The version of the policy that was agreed to where nobody can be asked."""
    invite: str | None = None
    """A link or code, read from a descriptor."""
    phone: Phone = NO_PHONE
    passphrase: str | None = None
    """Of secure chats, read from a descriptor."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at a terminal."""

    ask: Callable[[str], Awaitable[str]]
    ask_hidden: Callable[[str], Awaitable[str]]
    say: Callable[[str], None]

    async def login(self, prompt: str, *, empty: bool = False) -> str:
        """A login in its one form, asked for until it is one; the node of an address is left out."""
        while True:
            given = (await self.ask(prompt)).strip()
            if empty and not given:
                return ""
            try:
                return alias_of(given)
            except Problem as error:
                self.say(explain(error))

    async def new_login(self) -> str:
        """A login or a mobile number to sign up with, asked for until it looks like one."""
        while True:
            given = await self.login("Choose a login, or give your mobile number (with +): ")
            if not given.startswith("@"):
                return given
            self.say(explain(Problem(Code.INVALID_USERNAME)))

    async def new_password(self) -> str:
        """A password that was given twice."""
        while True:
            first = await self.ask_hidden("Choose a password: ")
            if not first:
                self.say("A password is not empty.")
            elif first == await self.ask_hidden("Once more: "):
                return first
            else:
                self.say("These were two different passwords.")


async def enter(client: Client, options: Options, person: Person, offer: bool = False) -> str:
    """Log in; with `offer` whoever has no account can sign up instead. The password that let in."""
    name = _checked(options, person)
    if options.password is not None:
        await future(client.login(name or "", options.password, options.device))
        if options.agree is not None and client.opened is not None and client.opened.policy is not None:
            await future(client.accept_policy(options.agree))
        return options.password
    if name is None and offer:
        person.say(f"No account on {options.node} yet? Leave the login empty to sign up.")
    for left in reversed(range(TRIES)):
        login = name or await person.login("Login: ", empty=offer)
        if not login:
            return await _sign_up(client, options, person, None)
        password = await person.ask_hidden("Password: ")
        try:
            await future(client.login(login, password, options.device))
        except RemoteProblem as error:
            if not left or not (error.passing or error.of(Code.BAD_CREDENTIALS, *ANOTHER_PASSWORD)):
                raise
            person.say(explain(error))
        else:
            await renew(client, options.node, person)
            return password
    raise AssertionError("the last refusal was raised")


async def change_password(client: Client, options: Options, person: Person) -> None:
    """Log in, and put another password in the place of the one that let in."""
    current = await enter(client, options, person)
    for left in reversed(range(TRIES)):
        new = await person.new_password() if options.new_password is None else options.new_password
        try:
            await future(client.change_password(current, new))
            return
        except RemoteProblem as error:
            if not left or options.new_password is not None or not error.of(*ANOTHER_PASSWORD):
                raise
            person.say(explain(error))


async def close_account(client: Client, options: Options, person: Person) -> None:
    """Close an account for ever with its login and a PIN (`options.password`).

    Raises `wrong_pin`, and `BadPin` for what cannot be one where nobody can be asked again.
    """
    name = _checked(options, person) or await person.login("Login: ")
    pin = options.password or ""
    if options.password is None:
        person.say(f"This closes the account of {name} for ever. An empty PIN leaves it as it is.")
        while not is_pin(pin := await person.ask_hidden("PIN: ")):
            if not pin:
                raise Problem(Code.WRONG_PIN)
            person.say(RULE)
    elif not is_pin(pin):
        raise BadPin(RULE)
    await future(client.close_account_of(name, pin))


async def sign_up(client: Client, options: Options, person: Person) -> None:
    """Open an account."""
    name = _checked(options, person)
    if options.password is not None:
        about = {"consent": options.agree, "invite": options.invite}
        await future(client.register(name or "", options.password, options.device, **about))
    else:
        await _sign_up(client, options, person, name)


async def _sign_up(client: Client, options: Options, person: Person, name: str | None) -> str:
    password, invite = "", options.invite
    consent = await agree(client, options.node, person)
    for left in reversed(range(TRIES)):
        name = name or await person.new_login()
        while is_number(name):
            if (let_in := await _by_number(client, options, person, name, consent, invite)) is not None:
                return let_in
            name = await person.new_login()
        password = password or await person.new_password()
        try:
            about = {"consent": consent, "invite": invite}
            await future(client.register(name, password, options.device, **about))
            return password
        except RemoteProblem as error:
            if not left or not (error.passing or error.of(*ANOTHER_LOGIN, *ANOTHER_PASSWORD, *ADMISSION)):
                raise
            if error.of(Code.CONSENT_NEEDED):
                person.say("The policy has just changed.")
                consent = await agree(client, options.node, person)
                continue
            person.say(explain(error))
            if error.of(Code.INVITE_NEEDED):
                invite = await person.ask("Your invite (the link, or its code): ")
            elif error.of(*ANOTHER_LOGIN):
                name = None
            elif error.of(*ANOTHER_PASSWORD):
                password = ""
            else:
                await person.ask("Press Enter to try again: ")
    raise AssertionError("the last refusal was raised")


async def _by_number(
    client: Client, options: Options, person: Person, number: str, consent: str, invite: str | None
) -> str | None:
    """The password that let in; None where another login or number is to be asked for."""
    try:
        return await enter_by_number(client, options, person, number, consent, invite)
    except RemoteProblem as error:
        if not error.of(*ANOTHER_NUMBER):
            raise
        person.say(explain(error))
        return None


def alias_of(given: str) -> str:
    """The login, number or account id in what somebody gave as a login or an address; raises a `Problem`."""
    if given.lstrip().startswith("+"):
        given = given.translate(dict.fromkeys(map(ord, " .-()/")))
    return address(given, "localhost")[0]


def _checked(options: Options, person: Person) -> str | None:
    """The login that was given, before anybody is asked for a password; who can be asked is asked again."""
    if options.login is None:
        return None
    try:
        return alias_of(options.login)
    except Problem as error:
        if options.password is not None:
            raise
        person.say(explain(error))
        return None
