"""What others, and a carrier that means ill, can do to the edge: nothing, while calls of others go on."""

import asyncio
import os
import random
import socket
from collections.abc import Sequence

from tests.e2e.janus_probe import App, Probe
from tests.e2e.trunk import CARRIER_TONE
from tests.trunk_case import APP_TONE, OURS, THEIRS, ProbeCase

INVITE = """\
INVITE sip:{number}@{edge} SIP/2.0
Via: SIP/2.0/UDP {own}:{port};branch=z9hG4bK{branch}
From: <sip:{caller}@{own}>;tag={branch}
To: <sip:{number}@{edge}>
Call-ID: {branch}@{own}
CSeq: 1 INVITE
Contact: <sip:x@{own}:{port}>
Max-Forwards: {hops}
{headers}Content-Type: application/sdp
Content-Length: {length}

"""
SOUND = """\
v=0
o=x 1 1 IN IP4 {own}
s=-
c=IN IP4 {own}
t=0 0
m=audio 6000 RTP/AVP 8
a=rtpmap:8 PCMA/8000
"""
FLOOD = 400


class HostileTests(ProbeCase):
    """Datagrams of our own, from an address of the carrier and from one that is not."""

    more = "calls = 3"

    def setUp(self) -> None:
        super().setUp()
        with self.trunk.carrier.entered():
            self.carrier = self._socket_at(self.trunk.carrier_address, 5090)
            self.foreign = self._socket_at(self.trunk.foreign_address, 5090)

    def _socket_at(self, address: str, port: int) -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind((address, port))
        made.settimeout(0.5)
        self.addCleanup(made.close)
        return made

    def invite(self, source: socket.socket, number: str = OURS, headers: str = "", **more: object) -> bytes:
        own, port = source.getsockname()
        given = {"caller": THEIRS, "hops": 70, "branch": os.urandom(8).hex(), **more}
        sound = SOUND.format(own=own).replace("\n", "\r\n").encode()
        text = INVITE.format(
            number=number,
            edge=self.trunk.edge_address,
            own=own,
            port=port,
            headers=headers,
            length=len(sound),
            **given,
        )
        return text.replace("\n", "\r\n").encode() + sound

    def send(self, source: socket.socket, *datagrams: bytes) -> None:
        for each in datagrams:
            source.sendto(each, (self.trunk.edge_address, 5060))

    def answers(self, source: socket.socket) -> list[str]:
        """First lines of all that comes, until nothing does for a while."""
        found = []
        try:
            while True:
                found.append(source.recv(65536).split(b"\r\n", 1)[0].decode(errors="replace"))
        except TimeoutError:
            return found

    def only(self, source: socket.socket, *datagrams: bytes) -> set[str]:
        """What is answered to these."""
        self.answers(source)
        self.send(source, *datagrams)
        return set(self.answers(source))

    def test_refused(self) -> None:
        """Each with its code; and whatever came before, a call goes through at the end."""
        self._foreign()
        self._shapes()
        self._methods()
        self._within()
        self._large()
        self._noise()
        self.wait(self._answers_badly())
        self.wait(self._goes_through())
        self.wait(self._spoofed())
        self.wait(self._flood())
        self.assertTrue(self.trunk.kamailio.running)
        self.assertNotRegex(self.trunk.kamailio.said(), r"\d{7,}|198\.1[89]\.")

    def _foreign(self) -> None:
        """403 for whoever is not the carrier, whatever it says; nothing for who says it often."""
        self.assertEqual(self.only(self.foreign, self.invite(self.foreign)), {"SIP/2.0 403 Forbidden"})
        register = self.invite(self.foreign).replace(b"INVITE", b"REGISTER")
        self.assertEqual(self.only(self.foreign, register), {"SIP/2.0 403 Forbidden"})
        self.answers(self.foreign)
        self.send(self.foreign, *(self.invite(self.foreign) for _ in range(FLOOD)))
        self.assertLess(len(self.answers(self.foreign)), FLOOD // 4)

    def _shapes(self) -> None:
        """Numbers that are none, or none of ours; and nothing that would be a line of its own."""
        for number, answer in (
            ("+49301234567", "404 Not Found"),
            ("354490001", "404 Not Found"),
            ("+3544900010000000", "404 Not Found"),
            ("+354490001;x=y", "404 Not Found"),
            ("112", "484 Address Incomplete"),
            ("bridge", "404 Not Found"),
            ("%2b354490001%0d%0aX-SafeNUM:%20+1", "404 Not Found"),
        ):
            found = self.only(self.carrier, self.invite(self.carrier, number))
            self.assertEqual({each for each in found if " 100 " not in each}, {f"SIP/2.0 {answer}"}, number)
        found = self.only(self.carrier, self.invite(self.carrier, hops=0))
        self.assertEqual(found, {"SIP/2.0 483 Too Many Hops"})
        silent, _, _ = self.invite(self.carrier).partition(b"Content-Type")
        found = self.only(self.carrier, silent + b"Content-Length: 0\r\n\r\n")
        self.assertIn("SIP/2.0 488 Not Acceptable Here", found)

    def _methods(self) -> None:
        """Only what a call needs."""
        for method in ("REGISTER", "MESSAGE", "SUBSCRIBE", "REFER", "PUBLISH", "NOTIFY", "INFO"):
            request = self.invite(self.carrier).replace(b"INVITE", method.encode())
            self.assertEqual(self.only(self.carrier, request), {"SIP/2.0 405 Method Not Allowed"}, method)

    def _within(self) -> None:
        """Of calls that there are not; and nothing is passed on to where somebody likes."""
        edge = self.trunk.edge_address.encode()
        for method in (b"BYE", b"INVITE", b"INFO"):
            request = self.invite(self.carrier).replace(b"INVITE", method)
            request = request.replace(b"\r\nCall-ID", b";tag=x\r\nCall-ID")
            route = b"Route: <sip:" + edge + b";lr>, <sip:" + self.trunk.app_address.encode() + b";lr>\r\n"
            request = request.replace(b"Content-Length", route + b"Content-Length")
            found = self.only(self.carrier, request)
            self.assertEqual(found, {"SIP/2.0 481 Call/Transaction Does Not Exist"}, method)

    def _large(self) -> None:
        """What would be too much for the node, once Janus has quoted it."""
        headers = "".join(f"X-{number}: {'y' * 100}\n" for number in range(80))
        found = self.only(self.carrier, self.invite(self.carrier, headers=headers))
        self.assertEqual(found, {"SIP/2.0 513 Message Too Large"})
        within = self.invite(self.carrier, headers=headers).replace(b"INVITE", b"INFO")
        within = within.replace(b"\r\nCall-ID", b";tag=x\r\nCall-ID")
        self.assertEqual(self.only(self.carrier, within), {"SIP/2.0 513 Message Too Large"})

    def _noise(self) -> None:
        """Octets of all sorts, and requests that were cut, doubled or had some changed."""
        rng = random.Random(5)
        datagrams: list[bytes] = []
        for _ in range(200):
            whole = bytearray(self.invite(self.carrier))
            for _ in range(rng.randrange(1, 20)):
                whole[rng.randrange(len(whole))] = rng.randrange(256)
            datagrams.append(bytes(whole[: rng.randrange(1, len(whole) + 1)]))
            datagrams.append(rng.randbytes(rng.randrange(1, 1400)))
        datagrams += [b"\r\n" * 100, b"\0" * 1400, b"INVITE " + b"x" * 60_000]
        long = "".join(f"X-{number}: {'y' * 100}\n" for number in range(400))
        datagrams.append(self.invite(self.carrier, headers=long))
        self.send(self.carrier, *datagrams)
        self.send(self.foreign, *datagrams)
        self.answers(self.carrier)

    async def _answers_badly(self) -> None:
        """A call is led to no other number; and an answer that is too long for the node never gets there."""
        async with self.probe() as probe:
            handle = await self.registered(probe)
            moved = "Moved Temporarily\r\nContact: <sip:+4990012345678@198.51.100.1>"
            called, app = self.trunk.answers("out_refused", code="302", reason=moved), App(APP_TONE)
            await probe.dial(handle, app, OURS, THEIRS)
            ended, _ = await probe.event(handle, "hangup")
            self.assertEqual(ended["code"], 403)
            self.assertEqual(called.wait(), 0, called.errors())
            await app.close()
            handle, app = await probe.helper(), App(APP_TONE)
            called = self.trunk.answers("out_refused", reason='"' * 40_000)
            await probe.dial(handle, app, OURS, THEIRS)
            await self.told(called, "INVITE")
            await asyncio.sleep(1)
            await asyncio.wait_for(probe.hang_up(handle), 5)
            called.stop()
            await app.close()

    async def _goes_through(self) -> None:
        async with self.probe() as probe:
            caller, app = await self.taken(probe, await self.registered(probe))
            await app.close()
        self.assertEqual(caller.wait(), 0, caller.errors())

    async def _spoofed(self) -> None:
        """What a carrier writes into headers of ours is not what the node hears, nor two numbers in one."""
        async with self.probe() as probe:
            await self.registered(probe)
            headers = (
                "X-SafeNUM: +354490666\nX-CLI: +1666\nX-SafeNUM-From: +1666\nx-safenum: +354490666\n"
                "P-Asserted-Identity: <sip:+4930666%0d%0aX-CLI:%20+1@x>\nUser-Agent: canary\n"
            )
            self.send(self.carrier, self.invite(self.carrier, headers=headers))
            _, told, _ = await probe.any_call()
            self.assertEqual(told["headers"], {"X-SafeNUM": OURS, "X-CLI": ""})
            self.assertNotIn("canary", str(told))

    async def _flood(self) -> None:
        """More calls than there may be: 503, while one that goes on is heard."""
        async with self.probe() as probe:
            handle = await self.registered(probe)
            caller, app = await self.taken(probe, handle)
            self.answers(self.carrier)
            self.send(self.carrier, *(self.invite(self.carrier) for _ in range(FLOOD)))
            found = [each for each in self.answers(self.carrier) if " 100 " not in each]
            self.assertIn("SIP/2.0 503 Service Unavailable", found)
            await self._still_heard(app)
            await probe.hang_up(handle)
            self.assertEqual(caller.wait(), 0, caller.errors())
            await app.close()

    async def _still_heard(self, app: App) -> None:
        del app.heard[:]
        await app.until_heard(CARRIER_TONE)


class InsideTests(ProbeCase):
    """What is behind the edge is not believed in everything either."""

    def test_inside(self) -> None:
        """A wrong password, and numbers that are none, are refused."""
        self.wait(self._refused())

    async def _refused(self) -> None:
        async with self.probe() as probe:
            with self.assertRaises(AssertionError):
                await probe.register("127.0.0.1:5060", "0" * 64)
        async with self.probe() as probe:
            await self.registered(probe)
            await self._dialled(probe, (("Ann", THEIRS), ("+354490001>,<sip:x", THEIRS), (OURS, "112")))

    async def _dialled(self, probe: Probe, calls: Sequence[tuple[str, str]]) -> None:
        for cli, to in calls:
            handle, app = await probe.helper(), App(APP_TONE)
            await probe.dial(handle, app, cli, to)
            ended, _ = await asyncio.wait_for(probe.event(handle, "hangup"), 20)
            self.assertEqual(ended["code"], 484, cli)
            await app.close()
