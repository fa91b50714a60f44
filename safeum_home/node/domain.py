"""The domain of an open node: a list of its parts, each made from the same means and handed what it needs."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection
from twisted.internet.threads import deferToThread

from safeum_home.accounts.contact_rows import ContactSide
from safeum_home.accounts.overview import Accounts
from safeum_home.accounts.passwords import PasswordHasher
from safeum_home.chats.backlog import Backlog
from safeum_home.chats.files.means import FileStorage
from safeum_home.config import Config
from safeum_home.gateway.dispatch import Routes
from safeum_home.gateway.services import Services
from safeum_home.ids import AccountId
from safeum_home.limits import RateLimit
from safeum_home.node.accounts import Ended, make_accounts
from safeum_home.node.alone import ALONE
from safeum_home.node.call_log import make_call_log
from safeum_home.node.calls import Relations, make_calls
from safeum_home.node.conferences import make_conferences
from safeum_home.node.contact_sync import make_contact_sync
from safeum_home.node.control import limits_in_use
from safeum_home.node.files import make_files
from safeum_home.node.foreign_people import make_foreign_means
from safeum_home.node.groups import make_groups
from safeum_home.node.history import make_history
from safeum_home.node.keys import make_keys
from safeum_home.node.means import make_means
from safeum_home.node.message_changes import make_message_changes
from safeum_home.node.messaging import make_messaging
from safeum_home.node.money import make_money
from safeum_home.node.numbers import make_numbers
from safeum_home.node.people import make_people
from safeum_home.node.presence import make_presence
from safeum_home.node.reading import make_reading
from safeum_home.node.running import Domain as Domain
from safeum_home.node.shared_chats import make_shared_chats
from safeum_home.node.shared_posts import make_shared_posts
from safeum_home.node.telephone import NO_CARRIERS, make_telephone
from safeum_home.node.topups import NO_PAYMENTS
from safeum_home.node.turn import make_turn
from safeum_home.node.turning import InThread
from safeum_home.node.voicemail import NOBODY, Answerer, make_voicemail
from safeum_home.node.waking import NO_PUSHES, make_waking
from safeum_home.ports import Database, Forfeits, MissedPage, TextMessages
from safeum_home.ports.carrier import Carriers
from safeum_home.ports.federation import Peers
from safeum_home.ports.payments import PaymentWays
from safeum_home.ports.push import Pushes
from safeum_home.protocol import commands
from safeum_home.protocol.signing import encode_octets
from safeum_home.sealing.vault import Vault
from safeum_home.spawn import spawn


def make_domain(
    config: Config,
    clock: Any,
    database: Database,
    vault: Vault,
    hasher: PasswordHasher,
    texts: TextMessages,
    in_thread: InThread = deferToThread,
    forfeits: Forfeits = (),
    *,
    storage: FileStorage,
    peers: Peers = ALONE,
    pushes: Pushes = NO_PUSHES,
    answering: Answerer = NOBODY,
    carriers: Carriers = NO_CARRIERS,
    payments: PaymentWays = NO_PAYMENTS,
) -> Domain:
    """Wire the domain of the node `config` describes. `clock` provides IReactorTime.

    `in_thread` runs what blocks; `forfeits` are ended with each account that is closed. Files lie in
    `storage`. `peers` are other nodes. Devices are woken through `pushes`; `carriers` lead to the
    telephone network, and `answering` answers calls from there. Payments are begun through `payments`.
    """
    means = make_means(config, clock, database, vault, in_thread, peers)
    directory, registry, bus, section = means.directory, means.registry, means.bus, config.limits
    side = ContactSide(database, vault.blinder, vault.cursors, directory, section.contacts)
    presence = make_presence(means, side)
    files = make_files(means, storage)

    async def missed(account: AccountId, after: int) -> MissedPage:
        return await services.missed(account, after)

    waking = make_waking(means, pushes, missed)
    ways = make_message_changes(means, files.attachments, waking.waker.mutes)
    messaging = make_messaging(means, presence, ways.composing)
    findable, sync_routes = make_contact_sync(means)
    keys, turn = make_keys(means, side, in_thread), make_turn(means)
    call_log = make_call_log(means)
    calls = make_calls(means, call_log.times)
    money = make_money(means, payments)
    conferences = make_conferences(means, side, call_log.times, calls.routes)

    async def retell(account: AccountId, change: Callable[[Connection], bool]) -> Callable[[], None]:
        owner = await directory.need(account)
        return await people.changes.change(owner, lambda c, record: record if change(c) else None)

    numbers = make_numbers(means, retell)
    voicemail = make_voicemail(means, files.means, messaging.delivery, answering)
    telephone = make_telephone(
        means,
        money,
        numbers,
        (calls.legs, conferences.here),
        waking.registrations,
        carriers,
        voicemail.mailbox,
    )
    keys.shown.speak = conferences.here.speak

    def forget(account: AccountId, login: str) -> None:
        directory.forget_account(account)
        registry.forget_account(account)
        messaging.receipts.forget_account(account)
        files.means.forget_account(account)
        presence.forget_account(account)
        keys.forget_account(account)
        calls.forget_account(account)
        conferences.forget_account(account)
        telephone.forget_account(account)
        call_log.times.forget_account(account)
        waking.waker.forget_account(account)
        spawn(findable.changed(account, login, False), "taking a closed account out of the set")

    def erased() -> None:
        accounts.closing.sweeping.ask()

    async def look_what_was_erased() -> None:
        await means.turns.if_due()
        history.owed.giving.ask()  # no receipt is true before
        erased()

    history = make_history(means, messaging.delivery, messaging.notices, erased, ways.drop_drafts)
    groups = make_groups(means, messaging, ways, erased, history, money.premium)
    foreign = make_foreign_means(means, side, groups.hubs, groups.renaming.note)
    lost = (*forfeits, money.book.forfeit, numbers.numbers.forfeit)
    ended = Ended(forget, lost, groups.leave, foreign.farewells)
    accounts = make_accounts(means, hasher, texts, messaging.announcer, side, findable, ended, numbers.giving)
    watch = Relations(presence, calls.watch)
    people = make_people(
        means, side, presence, watch, foreign, lambda gone: forget(gone, ""), erased, numbers.numbers
    )
    routes: Routes = {
        **accounts.routes,
        **people.routes,
        **make_reading(means, messaging.receipts, people.introductions),
        **messaging.routes,
        commands.ChatRead: waking.reading(messaging.receipts.read),
        **ways.routes,
        **groups.routes,
        **history.forwarded(groups.forwarding),
        **files.routes,
        **keys.routes,
        **calls.routes,
        **call_log.routes,
        **conferences.routes,
        **sync_routes,
        **waking.routes,
        **turn.routes,
        **money.routes,
        **numbers.routes,
        **voicemail.routes,
        **telephone.routes,
    }
    sources = (*messaging.sources, *people.sources, *groups.sources, *ways.sources, *keys.sources)
    services = Services(
        clock=clock,
        routes=routes,
        bus=bus,
        cursors=vault.cursors,
        receipts=messaging.receipts,
        missed=Backlog(database, sources).page,
        committed=lambda: database.committed,
        gave_out=database.gave_out,
        rate=RateLimit(section.commands_per_second, section.commands_burst, clock.seconds),
        limits=section,
        held=messaging.fleeting.held,
        node_key=encode_octets(vault.signer.public_key),
        support_chat=registry.support_chat,
        busy=means.busy,
        wakeable=waking.registrations.wakeable,
        transfers=files.transfers,
    )
    rates = {
        **accounts.rates,
        **people.rates,
        **messaging.rates,
        **history.rates,
        **groups.rates,
        **files.rates,
        **keys.rates,
        **turn.rates,
        **calls.rates,
        **conferences.rates,
        **voicemail.rates,
        **telephone.rates,
    }
    limits = limits_in_use(
        section,
        services,
        accounts.limits,
        people.limits,
        side,
        accounts.devices,
        groups.use,
        calls.use,
        telephone.use,
        **rates,
    )
    shown = Accounts(database, directory, bus.connected)
    control = accounts.sign_up.control(config, shown, lambda: bus.accounts, limits)
    return Domain(
        means.jobs,
        (
            means.jobs.job("looking what was erased", look_what_was_erased),
            means.jobs.job("reading what was set at run time", control.registration.load),
        ),
        means.jobs.job("telling groups' nodes what waits for them", means.posts.box.again),
        services,
        messaging.receipts,
        directory,
        registry,
        means.turns,
        means.fleeting_turns,
        accounts.closing,
        findable,
        messaging.desk,
        control,
        files,
        presence,
        messaging.fleeting,
        waking,
        means.posts.box,
        (
            *people.shared,
            *make_shared_chats(means, messaging, ways, history.lives),
            *groups.shared,
            *keys.shared,
            *make_shared_posts(means, messaging, ways, history),
        ),
        {**people.answers, **groups.answers, **keys.answers, **conferences.answers},
        history.owed,
        (*presence.kinds(means.node), messaging.typing, *calls.kinds, *conferences.kinds),
        keys.doubt,
        keys.reminders,
        calls,
        call_log,
        conferences,
        money,
        numbers,
        voicemail,
        telephone,
    )
