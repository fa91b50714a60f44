"""A whole node's domain and the real sessions of its clients: in memory, in one thread, on a test's clock.

world = World()
alice, bob = world.register("alice"), world.register("bob")
chat = world.befriend(alice, bob)
alice.call("chat.send", chat=chat, client_id="1", body={"kind": "text", "text": "hi"})
bob.messages()
"""

from collections.abc import Sequence
from itertools import count
from typing import Any, Literal

import msgspec
from twisted.internet.defer import maybeDeferred
from twisted.internet.task import Clock

from safeum_home.accounts.policy import standard
from safeum_home.chats.files.means import FileStorage
from safeum_home.config import (
    Config,
    ContactSyncSection,
    FileSection,
    LimitSection,
    NodeSection,
    NumberSection,
    RegistrationSection,
    SupportSection,
    TurnSection,
)
from safeum_home.config_payments import PaymentSection
from safeum_home.config_premium import PremiumSection
from safeum_home.config_safenum import SafenumSection
from safeum_home.gateway.session import Session
from safeum_home.node.alone import ALONE
from safeum_home.node.domain import make_domain
from safeum_home.node.telephone import NO_CARRIERS
from safeum_home.node.topups import NO_PAYMENTS
from safeum_home.node.voicemail import NOBODY, Answerer
from safeum_home.node.waking import NO_PUSHES
from safeum_home.ports import TextMessages
from safeum_home.ports.carrier import Carriers
from safeum_home.ports.federation import Peers
from safeum_home.ports.files import BlobStore
from safeum_home.ports.payments import PaymentWays
from safeum_home.ports.push import Pushes
from safeum_home.rounds import Rounds
from safeum_home.sealing.root import generate
from safeum_home.sealing.vault import Vault, open_vault
from tests.instant_database import InstantDatabase
from tests.memory_store import MemoryStore
from tests.world_connection import Connection
from tests.world_parts import RecordedTexts, arena, cheap_hasher

NODE = "home.example"
PASSWORD = "correct horse battery"
HOST = "192.0.2.7"
CONSENT = standard().version
"""What everybody who signs up agrees to."""
LAPTOP = {"name": "laptop", "system": "Debian 12"}
_MANY = 1e9
GENEROUS: dict[str, Any] = {
    name: (_MANY if not name.endswith("burst") else int(_MANY))
    for rate in (
        "commands",
        "logins_per_address",
        "logins_per_account",
        "signups_per_address",
        "finds_per_account",
        "contact_requests_per_account",
        "finds_per_node",
        "contact_requests_per_node",
        "pictures_per_node",
        "closings_per_node",
        "events_per_foreign_account",
        "events_per_hub",
        "group_commands_per_node",
        "profile_changes_per_account",
        "verifications_per_address",
        "codes_per_number",
        "file_requests_per_account",
        "key_publications_per_account",
        "key_changes_per_account",
        "key_queries_per_account",
        "key_queries_per_node",
        "conferences_per_account",
        "conference_looks_per_account",
        "conference_signals_per_account",
        "conference_octets_per_account",
        "conference_octets_to_node",
        "conference_reports",
        "conferences_per_node",
        "conference_signals_per_node",
        "group_invitations_per_account",
        "group_changes_per_account",
        "group_descriptions_per_account",
        "deliveries_per_account",
        "call_invites_per_account",
        "call_invites_per_node",
        "call_rings_per_caller",
        "call_rings_per_account",
        "call_signals",
        "call_signal_octets_per_account",
        "voicemail_greetings_per_account",
        "vault_parts_per_account",
        "telephone_dials_per_account",
        "telephone_rings_per_caller",
        "telephone_rings_per_number",
    )
    for name in ((rate, f"{rate}_burst") if rate != "commands" else ("commands_per_second", "commands_burst"))
}


class Refused(Exception):
    """A command was refused."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['data']['code']} {error['data'].get('detail', '')}")
        self.code: str = error["data"]["code"]
        self.error = error


class Client:
    """A device with its connection. Events that came are kept until they are taken."""

    def __init__(self, world: "World", host: str = HOST) -> None:
        self.world = world
        self.host = host
        self.account = self.address = self.device = self.token = ""
        self.cursor: str | None = None
        self.connection: Connection
        self._ids = count(1)
        self._seen = 0
        self.events: list[dict[str, Any]] = []
        self.answers: dict[Any, dict[str, Any]] = {}
        self.connect()

    def connect(self) -> None:
        """A new connection, on which nobody has logged in."""
        self.connection = self.world.connect(self.host)
        self._seen = 0

    def send(self, payload: bytes) -> None:
        """Octets, as they are."""
        self.connection.receive(payload)
        self._sort()

    def ask(self, method: str, **params: Any) -> int:
        """Give a command without waiting for the answer; its id."""
        number = next(self._ids)
        self.send(msgspec.json.encode({"jsonrpc": "2.0", "id": number, "method": method, "params": params}))
        return number

    def notify(self, method: str, **params: Any) -> None:
        self.send(msgspec.json.encode({"jsonrpc": "2.0", "method": method, "params": params}))

    def answer(self, number: int) -> dict[str, Any] | None:
        """The result of a command, None while there is none; raises `Refused`."""
        self._sort()
        answer = self.answers.get(number)
        if answer is not None and "error" in answer:
            raise Refused(answer["error"])
        return None if answer is None else answer["result"]

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """A command and its answer; raises `Refused`."""
        number = self.ask(method, **params)
        answer = self.answer(number)
        assert answer is not None, f"{method} was not answered"
        return answer

    def take(self, *methods: str) -> list[dict[str, Any]]:
        """The events that came since the last time: `{"method": ..., "params": ...}`."""
        self._sort()
        taken, self.events = self.events, []
        return [event for event in taken if not methods or event["method"] in methods]

    def messages(self) -> list[dict[str, Any]]:
        """The messages among the events that came since the last time, login alerts left out."""
        found = [event["params"] for event in self.take("chat.message")]
        return [message for message in found if message["body"]["kind"] == "text"]

    # --- what people do

    def opened(self, opened: dict[str, Any]) -> "Client":
        self.account, self.address = opened["account"], opened["address"]
        self.device, self.cursor = opened["device"], opened["cursor"]
        self.token = opened["token"] or self.token
        return self

    def login(self, username: str, password: str = PASSWORD, **device: str) -> "Client":
        about = device or LAPTOP
        return self.opened(self.call("session.login", username=username, password=password, device=about))

    def resume(self, since: str | None = None) -> "Client":
        """Come back on a new connection."""
        self.drop()
        self.connect()
        return self.opened(self.call("session.resume", token=self.token, since=since))

    def drop(self) -> None:
        """The connection breaks."""
        self._sort()
        self.connection.lose()

    def write(self, chat: str, text: str, client_id: str | None = None) -> dict[str, Any]:
        """Send a text; what `chat.send` answers."""
        return self.call("chat.send", **self.message(chat, text, client_id))

    def message(self, chat: str, text: str, client_id: str | None = None) -> dict[str, Any]:
        """The parameters of `chat.send`."""
        about = f"{self.device}-{next(self._ids)}" if client_id is None else client_id
        return {"chat": chat, "client_id": about, "body": {"kind": "text", "text": text}}

    def history(self, chat: str, **params: Any) -> list[str]:
        """The texts of a page of a chat, what the node wrote into it left out."""
        page = self.call("chat.history", chat=chat, **params)["messages"]
        return [message["body"]["text"] for message in page if message["body"]["kind"] == "text"]

    def _sort(self) -> None:
        self.connection.read_on()
        new = self.connection.written[self._seen :]
        self._seen = len(self.connection.written)
        for frame in new:
            if "method" in frame:
                self.events.append(frame)
            else:
                assert frame["id"] is None or frame["id"] not in self.answers, f"answered twice: {frame}"
                self.answers[frame["id"]] = frame


class World:
    """A node and its clients. `limits` replace the generous ones."""

    def __init__(
        self,
        database: InstantDatabase | None = None,
        vault: Vault | None = None,
        *,
        registration: Literal["open", "invite", "closed"] = "open",
        support_open: bool = True,
        password_queue: int = 1000,
        contact_sync: ContactSyncSection | None = None,
        numbers: NumberSection | None = None,
        store: BlobStore | None = None,
        files: FileSection | None = None,
        turn: TurnSection | None = None,
        safenum: SafenumSection | None = None,
        node: str = NODE,
        peers: Peers = ALONE,
        pushes: Pushes = NO_PUSHES,
        answering: Answerer = NOBODY,
        carriers: Carriers = NO_CARRIERS,
        payments: PaymentWays = NO_PAYMENTS,
        payment_section: PaymentSection | None = None,
        premium: PremiumSection | None = None,
        clock: Clock | None = None,
        **limits: Any,
    ) -> None:
        self.clock = clock or world_clock()
        self.database = database or InstantDatabase()
        self.vault = vault or open_vault(generate(arena()), None)
        self.hasher, self.pool = cheap_hasher(password_queue)
        self.config = Config(
            node=NodeSection(node, "/nowhere"),
            registration=RegistrationSection(registration),
            support=SupportSection(support_open),
            contact_sync=contact_sync or ContactSyncSection(),
            limits=LimitSection(**{**GENEROUS, **limits}),
            numbers=numbers or NumberSection(),
            files=files or FileSection(),
            turn=turn or TurnSection(),
            safenum=safenum or SafenumSection(),
            payments=payment_section or PaymentSection(),
            premium=premium or PremiumSection(),
        )
        self.texts = RecordedTexts()
        texts: TextMessages = self.texts
        self.store: Any = store or MemoryStore()
        self.domain = make_domain(
            self.config,
            self.clock,
            self.database,
            self.vault,
            self.hasher,
            texts,
            maybeDeferred,
            storage=FileStorage(self.store, maybeDeferred),
            peers=peers,
            pushes=pushes,
            answering=answering,
            carriers=carriers,
            payments=payments,
        )
        self.services = self.domain.services
        self.connections: list[Connection] = []

    def connect(self, host: str = HOST) -> Connection:
        connection = Connection(self.clock, host)
        connection.session = Session(connection, self.services)
        self.connections.append(connection)
        return connection

    def register(self, username: str, password: str = PASSWORD, host: str = HOST) -> Client:
        client = Client(self, host)
        params = {"username": username, "password": password, "device": LAPTOP}
        consent = self.domain.control.policy.now.version
        return client.opened(client.call("account.register", **params, consent=consent))

    def login(self, username: str, host: str = HOST) -> Client:
        """A new device of an account, logged in."""
        return Client(self, host).login(username)

    def befriend(self, first: Client, second: Client) -> str:
        """Both are in each other's contact list, and nothing is left to be taken; their chat."""
        first.call("contact.request", account=second.account, address=second.address)
        second.call("contact.accept", account=first.account)
        self.settle()
        first.take()
        second.take()
        return contact(second, first)["chat"]  # type: ignore[no-any-return]  # it is JSON

    def settle(self, seconds: float = 0.1) -> None:
        """Let time pass: what was gathered is committed and told, what was closed is over."""
        self.clock.pump([seconds / 2] * 2)

    @property
    def timers(self) -> list[Any]:
        """The delayed calls, but for presence: it looks round for as long as anybody is there."""
        calls: list[Any] = list(self.clock.getDelayedCalls())
        return [call for call in calls if not isinstance(getattr(call.func, "__self__", None), Rounds)]

    @property
    def cursor(self) -> str:
        """The cursor of all that was committed."""
        return self.vault.cursors.encode(self.database.committed)

    @property
    def late(self) -> list[bytes]:
        """What any session wrote after its close frame: nothing, please."""
        return [frame for connection in self.connections for frame in connection.late if not connection.over]


def world_clock() -> Clock:
    """A clock on some day of these times."""
    clock = Clock()
    clock.advance(1_700_000_000)
    return clock


def contact(owner: Client, other: Client) -> dict[str, Any]:
    """The entry of `other` in the list of `owner`; raises LookupError."""
    for entry in owner.call("contact.list", limit=50)["contacts"]:
        if entry["account"] == other.account:
            return dict(entry)
    raise LookupError(other.address)


def texts(messages: Sequence[dict[str, Any]]) -> list[str]:
    return [message["body"]["text"] for message in messages]
