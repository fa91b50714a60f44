"""A client of Janus with an app behind it: what is between an app and a carrier, without a node's bridge."""

import asyncio
import json
import secrets
from array import array
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any, Self

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from aiortc.rtcrtpsender import RTCRtpSender
from av import AudioFrame

from safeum_home.client.webrtc.hearing import mono
from safeum_home.client.webrtc.tones import ToneTrack
from safeum_home.grants.trunk import EDGE_DOMAIN, EDGE_USER
from tests.e2e import g711
from tests.e2e.rtp_events import RtpEvents, described
from tests.e2e.wire import frame as framed

SIP = "janus.plugin.sip"


_HELLO = """\
GET / HTTP/1.1\r
Host: janus\r
Upgrade: websocket\r
Connection: Upgrade\r
Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r
Sec-WebSocket-Version: 13\r
Sec-WebSocket-Protocol: janus-protocol\r
\r
"""


class Probe:
    """`async with Probe(address, port, secret) as probe`: a session, in which handles are attached."""

    def __init__(self, address: str, port: int, secret: str) -> None:
        self._at = address, port
        self._secret = secret
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._events: dict[int, asyncio.Queue[dict[str, Any]]] = {}
        self._session: dict[str, Any] = {}
        self._handles: list[int] = []

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(*self._at)
        self._writer.write(_HELLO.encode())
        assert b" 101 " in await self._reader.readuntil(b"\r\n\r\n")
        self._listening = asyncio.ensure_future(self._listen())
        made = await self.ask(janus="create")
        self._session = {"session_id": made["data"]["id"]}
        return self

    async def __aexit__(self, *_: object) -> None:
        """As somebody who has died: without a word."""
        self._listening.cancel()
        self._writer.transport.abort()

    async def _listen(self) -> None:
        """Frames of a server (RFC 6455, section 5.2)."""
        while True:
            kind, length = await self._reader.readexactly(2)
            if length > 125:
                length = int.from_bytes(await self._reader.readexactly(2 if length == 126 else 8), "big")
            payload = await self._reader.readexactly(length)
            if kind & 0x0F == 9:
                self._writer.write(framed(payload, opcode=10))
            elif kind & 0x0F == 1:
                self.take(json.loads(payload))

    def take(self, message: dict[str, Any]) -> None:
        answered = self._answers.get(message.get("transaction", ""))
        if answered is not None and not answered.done() and message["janus"] != "event":
            answered.set_result(message)
        elif "sender" in message:
            self._events.setdefault(message["sender"], asyncio.Queue()).put_nowait(message)

    async def ask(self, **message: Any) -> dict[str, Any]:
        transaction = secrets.token_hex(8)
        answered = self._answers[transaction] = asyncio.get_running_loop().create_future()
        whole = {**self._session, **message, "transaction": transaction, "apisecret": self._secret}
        self._writer.write(framed(json.dumps(whole).encode()))
        found: dict[str, Any] = await answered
        return found

    async def attach(self) -> int:
        made = await self.ask(janus="attach", plugin=SIP)
        self._handles.append(int(made["data"]["id"]))
        return self._handles[-1]

    async def say(self, handle: int, body: dict[str, Any], jsep: dict[str, str] | None = None) -> None:
        more = {} if jsep is None else {"jsep": jsep}
        await self.ask(janus="message", handle_id=handle, body=body, **more)

    async def event(self, handle: int, *names: str) -> tuple[dict[str, Any], dict[str, str] | None]:
        """The next event of a handle with one of these names: its result, and its description."""
        queue = self._events.setdefault(handle, asyncio.Queue())
        while True:
            message = await queue.get()
            if message["janus"] != "event":
                continue
            data = message["plugindata"]["data"]
            if "error" in data:
                raise AssertionError(data["error"])
            if data.get("result", {}).get("event") in names:
                return data["result"], message.get("jsep")

    async def any_event(self, handles: Sequence[int], name: str, reason: str) -> dict[str, Any]:
        """The next event of that name, for that reason, of whichever handle it is."""

        async def one(handle: int) -> dict[str, Any]:
            while True:
                result, _ = await self.event(handle, name)
                if result.get("reason") == reason:
                    return result

        tasks = [asyncio.ensure_future(one(handle)) for handle in handles]
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        return done.pop().result()

    async def any_call(self) -> tuple[int, dict[str, Any], dict[str, str]]:
        """The next call that comes in, at whichever handle: its event, and the offer."""

        async def one(handle: int) -> tuple[int, dict[str, Any], dict[str, str]]:
            told, offer = await self.event(handle, "incomingcall")
            assert offer is not None
            return handle, told, offer

        tasks = [asyncio.ensure_future(one(handle)) for handle in self._handles]
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        return done.pop().result()

    async def register(self, edge: str, password: str) -> int:
        """A handle that calls come to."""
        handle = await self.attach()
        uri = f"sip:{EDGE_USER}@{EDGE_DOMAIN}"
        body = {"request": "register", "username": uri, "authuser": EDGE_USER, "secret": password}
        more = {"proxy": f"sip:{edge}", "outbound_proxy": f"sip:{edge}", "incoming_header_prefixes": ["X-"]}
        await self.say(handle, {**body, **more})
        result, _ = await self.event(handle, "registered", "registration_failed")
        if result["event"] != "registered":
            raise AssertionError(result)
        self.master = result["master_id"]
        return handle

    async def helper(self) -> int:
        """A further one."""
        handle = await self.attach()
        uri = f"sip:{EDGE_USER}@{EDGE_DOMAIN}"
        body = {"request": "register", "type": "helper", "username": uri, "master_id": self.master}
        await self.say(handle, body)
        await self.event(handle, "registered")
        return handle

    async def dial(self, handle: int, app: "App", cli: str, to: str) -> None:
        jsep = {"type": "offer", "sdp": await app.offer()}
        uri = f"sip:{to}@{EDGE_DOMAIN}"
        await self.say(handle, {"request": "call", "uri": uri, "headers": {"X-SafeNUM-From": cli}}, jsep)

    async def answer(self, handle: int, app: "App", offer: dict[str, str]) -> None:
        jsep = {"type": "answer", "sdp": await app.answer(offer["sdp"])}
        await self.say(handle, {"request": "accept"}, jsep)

    async def hang_up(self, handle: int) -> None:
        await self.say(handle, {"request": "hangup"})


class App:
    """aiortc with a tone, and ears."""

    def __init__(self, hertz: float, events: RtpEvents | None = None) -> None:
        self.heard = array("h")
        self._events = events
        self._more = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._link = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._link.on("track", self._hear)
        self._link.addTrack(ToneTrack(hertz))

    def _hear(self, track: MediaStreamTrack) -> None:
        self._tasks.append(asyncio.ensure_future(self._listen(track)))

    async def _listen(self, track: MediaStreamTrack) -> None:
        with suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                assert isinstance(frame, AudioFrame)
                assert frame.sample_rate == g711.RATE
                self.heard.extend(mono(frame))
                self._more.set()

    async def offer(self) -> str:
        codecs = RTCRtpSender.getCapabilities("audio").codecs
        for transceiver in self._link.getTransceivers():
            transceiver.setCodecPreferences(
                [each for each in codecs if each.mimeType in ("audio/PCMA", "audio/PCMU")]
            )
        await self._link.setLocalDescription(await self._link.createOffer())
        return self._described()

    async def answered(self, jsep: dict[str, str]) -> None:
        await self._link.setRemoteDescription(RTCSessionDescription(jsep["sdp"], "answer"))

    async def answer(self, offer: str) -> str:
        await self._link.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await self._link.setLocalDescription(await self._link.createAnswer())
        return self._described()

    def _described(self) -> str:
        sdp = str(self._link.localDescription.sdp)
        if self._events is None:
            return sdp
        for transceiver in self._link.getTransceivers():
            self._events.stand_between(transceiver.sender.transport)
        return described(sdp)

    async def until_heard(self, hertz: float) -> None:
        """Wait until half a second of what was heard is mostly a tone."""
        while not g711.is_heard(self.heard[-g711.RATE // 2 :], hertz):
            await self._more.wait()
            self._more.clear()

    async def close(self) -> None:
        await self._link.close()


def wait(task: Coroutine[Any, Any, None], seconds: float = 60.0) -> None:
    asyncio.run(asyncio.wait_for(task, seconds))
