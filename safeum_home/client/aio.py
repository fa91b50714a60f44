"""The client for asyncio programs: the same methods, returning asyncio futures.

    client = await aio.connect("node.example")
    await client.login("ada", password)
    async for event in client.events():
        ...

Nothing of Twisted has to be installed or run: see `loop_reactor`.
"""

from asyncio import AbstractEventLoop, Future, get_running_loop
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from msgspec import Struct
from twisted.internet.defer import Deferred

from safeum_home.client import session
from safeum_home.client.aio_secure import SecureTaking
from safeum_home.client.calling.call import Call
from safeum_home.client.calling.calling import Options
from safeum_home.client.calling.conference import Conference
from safeum_home.client.calling.conferences import Ringing
from safeum_home.client.calling.directory import Pins
from safeum_home.client.calling.launch import Sign
from safeum_home.client.calling.media import MediaSource
from safeum_home.client.connection.dialer import NodeDialer
from safeum_home.client.connection.trust import node_at
from safeum_home.client.events import QUEUE, Listen, Stream
from safeum_home.client.files.file_transfer import Progress, Uploaded
from safeum_home.client.loop_reactor import reactor_of
from safeum_home.client.methods.group import GroupMethods
from safeum_home.client.methods.voucher_tokens import Token
from safeum_home.client.state.loading import load
from safeum_home.client.state.search import MOST, Found, search
from safeum_home.client.state.state import State
from safeum_home.client.telephony.media import TelephoneSource
from safeum_home.client.telephony.telephone import Telephone
from safeum_home.protocol import commands as c
from safeum_home.protocol.push import Payload, Wake
from safeum_home.protocol.types import Message

R = TypeVar("R", bound=c.Result)
T = TypeVar("T")


class Events:
    """`async for` over a `Stream`, in asyncio."""

    def __init__(self, stream: Stream, loop: AbstractEventLoop) -> None:
        self._stream = stream
        self._loop = loop

    def __aiter__(self) -> "Events":
        return self

    async def __anext__(self) -> Struct:
        event: Struct = await self._stream.__anext__().asFuture(self._loop)
        return event

    def close(self) -> None:
        self._stream.close()


class Client(SecureTaking, GroupMethods):
    """See `session.Client`; an `async with` closes it."""

    def __init__(self, client: session.Client, loop: AbstractEventLoop) -> None:
        self._client = client
        self._loop = loop

    def _ask(self, params: c.Params, result: type[R]) -> "Future[R]":
        return self._client._ask(params, result).asFuture(self._loop)

    def _milliseconds(self) -> float:
        return self._client._milliseconds()

    def _greet(self, params: c.Params, result: type[R]) -> "Future[R]":
        return self._client._greet(params, result).asFuture(self._loop)

    def _enter(self, params: c.Params) -> "Future[c.Opened]":
        return self._client._enter(params).asFuture(self._loop)

    @property
    def opened(self) -> c.Opened | None:
        return self._client.opened

    @property
    def state(self) -> State:
        return self._client.state

    @property
    def support_chat(self) -> str | None:
        """The chat in which this account writes to its operator; None before the login."""
        return self._client.support_chat

    @property
    def notes(self) -> str | None:
        """The chat with oneself, where one's devices leave each other notes; None before the login."""
        return self._client.notes

    def typing(self, chat: str, active: bool = True) -> bool:
        """Say that something is being typed; False where there is no connection to say it on."""
        return self._client.typing(chat, active)

    def set_active(self, active: bool) -> bool:
        """See `signals.Signals.set_active`."""
        return self._client.set_active(active)

    async def sleep(self) -> None:
        """See `sleeping.Sleeping.sleep`."""
        await self._client.sleep().asFuture(self._loop)

    def wake(self, by_push: bool = False) -> None:
        """See `sleeping.Sleeping.wake`."""
        self._client.wake(by_push)

    def on_push(self, payload: Payload) -> Wake | None:
        """See `sleeping.Sleeping.on_push`."""
        return self._client.on_push(payload)

    def take_calls(
        self,
        media: MediaSource,
        sign: Sign | None = None,
        pins: Pins | None = None,
        *,
        relay_only: bool = False,
    ) -> None:
        """See `call_taking.CallTaking.take_calls`."""
        options = Options(sign, pins, relay_only)
        self._client._take_calls(media, options, lambda deferred: deferred.asFuture(self._loop))

    def take_telephone(self, media: TelephoneSource, *, relay_only: bool = False) -> Telephone:
        """See `telephone_taking.TelephoneTaking.take_telephone`."""
        return self._client._take_telephone(
            media, lambda deferred: deferred.asFuture(self._loop), relay_only=relay_only
        )

    @property
    def telephone(self) -> Telephone | None:
        """What `take_telephone` has made."""
        return self._client.telephone

    async def start_call(self, account: str, video: bool = False) -> Call:
        """See `call_taking.CallTaking.start_call`."""
        return await self._client.start_call(account, video).asFuture(self._loop)

    async def conference(self, chat: str, video: bool = False) -> Conference:
        """See `call_taking.CallTaking.conference`."""
        return await self._client.conference(chat, video).asFuture(self._loop)

    def on_conference(self, listener: Callable[[Ringing], None]) -> Callable[[], None]:
        """See `call_taking.CallTaking.on_conference`."""
        return self._client.on_conference(listener)

    @property
    def conferences(self) -> list[Conference]:
        """Those that this device is in, or is joining."""
        return self._client.conferences

    @property
    def calls(self) -> list[Call]:
        """Those that have not ended."""
        return self._client.calls

    def on_call(self, listener: Callable[[Call], None]) -> Callable[[], None]:
        """See `call_taking.CallTaking.on_call`."""
        return self._client.on_call(listener)

    async def load(self) -> None:
        """Build `state` from the node; it is kept current from then on."""
        await Deferred.fromCoroutine(load(self._client.state, self._client)).asFuture(self._loop)

    async def find_contacts(self, numbers: Iterable[str]) -> dict[str, c.ContactFound]:
        """See `finding.Finding.find_contacts`."""
        return await self._client.find_contacts(numbers).asFuture(self._loop)

    async def upload(self, chat: str, source: Any, **options: Any) -> Uploaded:
        """See `file_transfer.FileTransfer.upload`."""
        return await self._client.upload(chat, source, **options).asFuture(self._loop)

    async def send_file(self, chat: str, source: Any, caption: str = "", **options: Any) -> c.Sent:
        """See `file_transfer.FileTransfer.send_file`."""
        return await self._client.send_file(chat, source, caption, **options).asFuture(self._loop)

    async def download(self, message: Message, target: Any, progress: Progress | None = None) -> int:
        """See `file_transfer.FileTransfer.download`."""
        return await self._client.download(message, target, progress=progress).asFuture(self._loop)

    async def sound_of(self, message: Message) -> bytes:
        """See `file_transfer.FileTransfer.sound_of`."""
        return await self._client.sound_of(message).asFuture(self._loop)

    async def exchange_voucher(self, code: str) -> Token:
        """See `session.Client.exchange_voucher`."""
        return await self._client.exchange_voucher(code).asFuture(self._loop)

    async def file_of(self, chat: str, message: str) -> Message:
        """See `file_transfer.FileTransfer.file_of`."""
        return await self._client.file_of(chat, message).asFuture(self._loop)

    def search(self, text: str, chat: str | None = None, limit: int = MOST) -> list[Found]:
        """See `search.Searching.search`: it asks the node nothing."""
        return search(self.state, text, chat, limit)

    def events(self, limit: int = QUEUE) -> Events:
        """The events from now on: `async for event in client.events()`."""
        return Events(self._client.events(limit), self._loop)

    def listen(self, listener: Listen) -> Callable[[], None]:
        """Call `listener` with each event and `LinkChanged`; returns what ends that."""
        return self._client.listen(listener)

    def retry(self) -> None:
        """Do not wait for the back-off: try to reconnect now."""
        self._client.retry()

    async def logout(self) -> None:
        """Revoke this device's token and leave."""
        await self._client.logout().asFuture(self._loop)

    async def close(self) -> None:
        """Leave; the token stays valid."""
        await self._client.close().asFuture(self._loop)

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def connect(node: str, *, ca: bytes | None = None) -> Client:
    """Connect to `HOST[:PORT]`; `ca` is PEM that is trusted instead of the public roots.

    Raises `Disconnected`, or `Problem(invalid_node_name)`.
    """
    loop = get_running_loop()
    reactor = reactor_of(loop)
    client = session.Client(NodeDialer(reactor, node_at(node), ca), reactor)
    await Deferred.fromCoroutine(client.connect()).asFuture(loop)
    return Client(client, loop)
