"""What an operator can look at and change while the node serves."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twisted.internet.threads import deferToThread

from safeum_home.accounts.admission import Admission
from safeum_home.accounts.consents import Consents
from safeum_home.accounts.contact_rows import ContactSide
from safeum_home.accounts.contacts import ContactLimits
from safeum_home.accounts.devices import Devices
from safeum_home.accounts.directory import AccountDirectory
from safeum_home.accounts.invites import Invites
from safeum_home.accounts.login_limits import ANYWHERE, LoginLimits, change_daily
from safeum_home.accounts.overview import Accounts
from safeum_home.accounts.policy import CurrentPolicy, Policy, PolicyError, read, standard
from safeum_home.accounts.registration import Mode, Registration
from safeum_home.config import Config, LimitSection
from safeum_home.errors import Code, Problem
from safeum_home.gateway.services import Services
from safeum_home.limits import RateLimit
from safeum_home.node.live_limits import LiveLimits, Use, rate
from safeum_home.node.startup import StartError
from safeum_home.ports import Database
from safeum_home.protocol import commands
from safeum_home.sealing.vault import Vault


@dataclass(frozen=True, slots=True)
class Control:
    """Made with the domain; `load` it before anybody is served."""

    policy: CurrentPolicy
    policy_file: str
    registration: Registration
    invites: Invites
    accounts: Accounts
    connected: Callable[[], int]
    """How many accounts have a device that is connected."""
    limits: LiveLimits

    async def load(self) -> "Control":
        """The policy of the configuration, and what was set at run time; raises `StartError`."""
        await self.registration.load()
        try:
            self.policy.now = await deferToThread(read, self.policy_file)
        except PolicyError as error:
            raise StartError(f"policy.file, {self.policy_file}: {error}") from None
        return self

    async def reload_policy(self) -> Policy:
        """Read the policy anew; raises `invalid_params`, and then the one before stays.

        Accounts keep the version that they agreed to: one version is one text.
        """
        try:
            policy = await deferToThread(read, self.policy_file)
        except PolicyError as error:
            raise Problem(Code.INVALID_PARAMS, f"{self.policy_file}: {error}") from None
        now = self.policy.now
        if policy.version == now.version and policy.text != now.text:
            raise Problem(
                Code.INVALID_PARAMS, f"{self.policy_file}: the text has changed, so its version has to change"
            )
        self.policy.now = policy
        return policy


@dataclass(frozen=True, slots=True)
class SignUp:
    """Who may sign up, and what is agreed to by that."""

    policy: CurrentPolicy
    registration: Registration
    invites: Invites
    admission: Admission
    consents: Consents

    def routes(self) -> dict[Any, Any]:
        return {commands.PolicyGet: self.consents.get, commands.PolicyAccept: self.consents.accept}

    def control(
        self, config: Config, accounts: Accounts, connected: Callable[[], int], limits: LiveLimits
    ) -> Control:
        """What of it an operator can change, with the rest of that."""
        file = config.policy.file
        return Control(self.policy, file, self.registration, self.invites, accounts, connected, limits)


def make_sign_up(
    config: Config, database: Database, vault: Vault, directory: AccountDirectory, now: Callable[[], int]
) -> SignUp:
    """As the configuration says; `now` is in milliseconds."""
    policy = CurrentPolicy(standard())
    registration = Registration(database, Mode(config.registration.mode))
    invites = Invites(database, vault.keyring, vault.blinder, now)
    admission = Admission(registration, invites, policy, now)
    return SignUp(policy, registration, invites, admission, Consents(database, directory, policy, now))


def limits_in_use(
    section: LimitSection,
    services: Services,
    logins: LoginLimits,
    contacts: ContactLimits,
    side: ContactSide,
    devices: Devices,
    *uses: Use,
    **rates: RateLimit,
) -> LiveLimits:
    """The limits with all who go by them, but for those of the edge, which comes later.

    `uses` are further ones, and so are `rates`, by the name of their setting.
    """

    def sessions(section: LimitSection) -> None:
        services.limits = section

    def lists(section: LimitSection) -> None:
        side.limit, devices.limit = section.contacts, section.devices

    def pins(section: LimitSection) -> None:
        change_daily(logins.pins.by_login, section.pin_tries)
        change_daily(logins.own_pins, section.pin_tries)

    def pins_of_address(section: LimitSection) -> None:
        change_daily(logins.pins.by_host, section.pin_tries_per_address)

    def pins_anywhere(section: LimitSection) -> None:
        change_daily(logins.pins.anywhere, section.pin_tries_anywhere)

    of_sessions = (
        "authentication_seconds",
        "in_flight",
        "outbound_frames",
        "outbound_bytes",
        "unacknowledged",
        "idle_seconds",
        "idle_without_push",
    )
    return LiveLimits(
        section,
        Use(of_sessions, sessions),
        Use(("contacts", "devices"), lists),
        rate("commands_per_second", services.rate, burst="commands_burst"),
        rate("logins_per_address", logins.by_host),
        rate("logins_per_account", logins.by_username),
        rate("logins_per_account", logins.by_username_anywhere, ANYWHERE),
        rate("signups_per_address", logins.sign_ups),
        rate("finds_per_account", contacts.finds),
        rate("contact_requests_per_account", contacts.requests),
        Use(("pin_tries",), pins, lambda: logins.pins.by_login.held_back() + logins.own_pins.held_back()),
        Use(("pin_tries_per_address",), pins_of_address, logins.pins.by_host.held_back),
        Use(("pin_tries_anywhere",), pins_anywhere, logins.pins.anywhere.held_back),
        *uses,
        *(rate(name, limit) for name, limit in rates.items()),
    )
