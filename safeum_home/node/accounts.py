"""Accounts: how people come in, by which secrets, and how an account ends, made and wired."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from safeum_home.accounts.claims import Claims
from safeum_home.accounts.closing import Closing
from safeum_home.accounts.contact_rows import ContactSide
from safeum_home.accounts.devices import Devices
from safeum_home.accounts.findable_keeper import FindableKeeper
from safeum_home.accounts.foreign_closing import Farewells
from safeum_home.accounts.login_limits import LoginLimits
from safeum_home.accounts.logins import Logins
from safeum_home.accounts.number_logins import NumberLogins
from safeum_home.accounts.password_change import PasswordChange
from safeum_home.accounts.passwords import PasswordHasher
from safeum_home.accounts.pins import Pins, PinVerifier
from safeum_home.accounts.verifications import VerificationLimits, Verifications
from safeum_home.chats.system import SystemMessages
from safeum_home.gateway.dispatch import Routes
from safeum_home.ids import AccountId
from safeum_home.limits import RateLimit
from safeum_home.node.control import SignUp, make_sign_up
from safeum_home.node.means import DomainMeans
from safeum_home.node.routes import closing_routes, login_routes, number_routes
from safeum_home.ports import Forfeits, GivesNumbers, TextMessages


class Ended(NamedTuple):
    """What is done where an account is closed: in memory, in its transaction, and in its groups."""

    forget: Callable[[AccountId, str], None]
    forfeits: Forfeits
    leave: Callable[[], Awaitable[None]]
    farewells: Farewells


class AccountParts(NamedTuple):
    """What the rest of the node needs of them."""

    devices: Devices
    limits: LoginLimits
    closing: Closing
    sign_up: SignUp
    routes: Routes
    rates: dict[str, RateLimit]


def make_accounts(
    means: DomainMeans,
    hasher: PasswordHasher,
    texts: TextMessages,
    announcer: SystemMessages,
    side: ContactSide,
    findable: FindableKeeper,
    ended: Ended,
    numbers: GivesNumbers,
) -> AccountParts:
    """Numbers are proved with `texts`; who comes in is told of by `announcer`.

    They have their SafeNUMs of `numbers`.
    """
    config, clock, database, directory = means.config, means.clock, means.database, means.directory
    blinder, now = means.vault.blinder, means.milliseconds
    devices = Devices(database, blinder, directory, means.bus, now, config.limits.devices)
    limits = LoginLimits.of(config.limits, clock.seconds)
    sign_up = make_sign_up(config, database, means.vault, directory, now)
    verifier = PinVerifier(hasher)
    passwords = PasswordChange(database, directory, devices, hasher, limits, verifier)
    claims = Claims(database, blinder, directory, config.numbers, now)
    pins = Pins(database, directory, hasher, verifier, limits)
    closing = Closing(
        clock,
        means.jobs,
        database,
        directory,
        devices,
        side,
        means.bus,
        verifier,
        limits,
        means.turns,
        *ended,
    )
    logins = Logins(
        means.node,
        database,
        means.vault.keyring,
        blinder,
        directory,
        devices,
        hasher,
        closing,
        announcer,
        claims,
        limits,
        now,
        sign_up.admission,
        numbers,
    )
    check_open = sign_up.admission.check_open
    of_numbers = VerificationLimits.of(config.limits, clock.seconds)
    verifications = Verifications(
        texts, of_numbers, config.numbers, clock.seconds, check_open, config.sms.text
    )
    number_logins = NumberLogins(
        database,
        blinder,
        directory,
        devices,
        hasher,
        announcer,
        limits,
        logins,
        verifications,
        claims,
        sign_up.admission,
        now,
        lambda account, number: findable.changed(account, number, False),
    )
    routes: Routes = {
        **login_routes(logins, passwords, devices),
        **number_routes(verifications, number_logins, claims),
        **closing_routes(pins, closing),
        **sign_up.routes(),
    }
    rates = {"verifications_per_address": of_numbers.begun, "codes_per_number": of_numbers.codes}
    return AccountParts(devices, limits, closing, sign_up, routes, rates)
