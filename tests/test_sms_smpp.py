"""SMPP against an SMSC that is not ours: what is submitted, and what becomes of it when things break."""

import json
import os
import subprocess
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from twisted.internet.defer import gatherResults
from twisted.internet.task import deferLater
from twisted.logger import formatEvent

from bridges.sms.sender import Sender
from bridges.sms.smpp.link import DISCONNECTED, NO_PASSWORD
from bridges.sms.tally import Tally
from safeum_home.config import SmsProviderSection, SmsSection
from safeum_home.errors import Code, Problem
from safeum_home.gateway.tls import self_signed
from safeum_home.ports.sms import Accepted, Permanent, SmsState, Temporary
from tests.e2e.needs import tool
from tests.e2e.registries import npm
from tests.node_case import NodeCase
from tests.sms import HOST, NUMBER, TEXT, logged
from tests.smsc import SCRIPT, SmscCase, reactor

LONG = "Long. " * 40


class SubmittingTests(SmscCase):
    async def test_submit(self) -> None:
        """A message comes as it was written, to whom it was written; the SMSC's id is its reference."""
        provider = await self.bound(sender="SafeUM", system_type="otp")
        bind = await self.smsc.next("bind")
        self.assertEqual((bind["right"], bind["version"], bind["type"]), (True, 0x34, "otp"))
        asked_at = datetime.now().timestamp()
        self.assertEqual(await provider.send(NUMBER, TEXT), Accepted("m1"))
        came = await self.smsc.next("submit")
        self.assertEqual((came["to"], came["to_ton"], came["to_npi"]), ("447700900123", 1, 1))
        self.assertEqual((came["from"], came["ton"], came["npi"]), ("SafeUM", 5, 0))
        self.assertEqual((came["text"], came["coding"], came["payload"]), (TEXT, 0, False))
        self.assertEqual(came["registered"], 1)
        # The double has made a time of the period that was sent.
        validity = datetime.fromisoformat(came["validity"]).timestamp()
        self.assertGreater(validity, asked_at + 599)
        self.assertLess(validity, datetime.now().timestamp() + 601)

    async def test_alphabets(self) -> None:
        """What GSM's alphabet has goes in it, all else as UCS2; what is long as a payload."""
        provider = await self.bound()
        for text, coding, payload in (
            ("Your code: 482913 @£$¥ {[~]}|^\\ €", 0, False),
            ("a" * 160, 0, False),
            ("a" * 161, 0, True),
            ("€" * 80, 0, False),
            ("€" * 81, 0, True),
            ("Код: 482913", 8, False),
            ("é" * 10 + "ё" * 60, 8, False),
            ("ё" * 71, 8, True),
            ("482913 🔑", 8, False),
            (LONG, 0, True),
        ):
            self.assertIsInstance(await provider.send(NUMBER, text), Accepted)
            came = await self.smsc.next("submit")
            self.assertEqual((came["text"], came["coding"], came["payload"]), (text, coding, payload))

    async def test_only_ucs2(self) -> None:
        """For an SMSC whose default alphabet is another, all of it goes as UCS2."""
        provider = await self.bound(only_ucs2=True, receipts=False, sender="+447700900999")
        await provider.send(NUMBER, TEXT)
        came = await self.smsc.next("submit")
        self.assertEqual((came["text"], came["coding"], came["registered"]), (TEXT, 8, 0))
        self.assertEqual((came["from"], came["ton"], came["npi"]), ("447700900999", 1, 1))

    async def test_receipts(self) -> None:
        """Receipts are told of and acknowledged, as parameters or as text; others are passed over."""
        provider = await self.bound()
        reports = [
            {"state": 6},
            {"state": 2},
            {"text": "id:ID sub:001 dlvrd:001 submit date:2611281200 done date:2611281201 stat:UNDELIV"},
            {"text": "nothing of the kind"},
            {"state": 7},
        ]
        await self.smsc.mode("receipt", reports=reports)
        self.assertEqual(await provider.send(NUMBER, TEXT), Accepted("m1"))
        for _ in reports:
            self.assertEqual((await self.smsc.next("receipt"))["status"], 0)
        told = [("main", "m1", state) for state in (SmsState.ACCEPTED, SmsState.DELIVERED, SmsState.FAILED)]
        self.assertEqual(self.reports.told, told)

    async def test_a_message_to_the_node(self) -> None:
        """Is acknowledged and not read, even where it looks like a receipt."""
        await self.bound()
        self.smsc.order(message=True)
        self.assertEqual((await self.smsc.next("receipt"))["status"], 0)
        self.assertEqual(self.reports.told, [])

    async def test_window(self) -> None:
        """No more than `window` messages are unanswered; the rest waits, and all get there."""
        provider = await self.bound(window=4)
        await self.smsc.mode("hold")
        sending = [provider.send(NUMBER, TEXT) for _ in range(20)]
        for _ in range(5):
            for _ in range(4):
                most = (await self.smsc.next("submit"))["most"]
            self.assertEqual([event["event"] for event in self.smsc.events], ["bind"])
            self.smsc.order(release=4)
        outcomes = await gatherResults(sending)
        self.assertEqual(outcomes, [Accepted(f"m{n}") for n in range(1, 21)])
        self.assertEqual(most, 4)

    async def test_statuses(self) -> None:
        """What the SMSC refuses becomes what the sender acts on."""
        provider = await self.bound()
        for status, outcome in (
            (0x58, Temporary("throttled", 1.0)),
            (0x14, Temporary("queue full", 5.0)),
            (0x08, Temporary("system error")),
            (0x0B, Permanent("invalid destination", number_refused=True)),
            (0x0A, Permanent("status 0x0000000a")),
            (0x0E, Permanent("the account is refused", account_refused=True)),
            (0x42A, Temporary("status 0x0000042a")),
        ):
            await self.smsc.mode("status", status=status)
            self.assertEqual(await provider.send(NUMBER, TEXT), outcome)
        await self.smsc.mode("nack")
        self.assertEqual(await provider.send(NUMBER, TEXT), Permanent("status 0x00000003"))


class BreakingTests(SmscCase):
    async def test_wrong_password(self) -> None:
        """The provider is out until the password is right, which it may become while the node runs."""
        self.secrets["smpp-main"] = b"wrong"
        port = await self.serve()
        provider = self.provider(f"tcp:127.0.0.1:{port}")
        refused = Permanent("the account is refused", account_refused=True, handed_over=False)
        for _ in range(3):
            self.assertFalse((await self.smsc.next("bind"))["right"])
            await self.smsc.next("close")
        self.assertEqual(await provider.send(NUMBER, TEXT), refused)
        self.assertEqual(provider.trouble, "not connected, the account is refused")
        unusable = replace(NO_PASSWORD, handed_over=False)
        del self.secrets["smpp-main"]
        await self.smsc.next("close")
        self.assertEqual(await provider.send(NUMBER, TEXT), unusable)
        self.assertEqual(provider.trouble, "no secret smpp-main in the store")
        self.secrets["smpp-main"] = b"far too long a password"
        await self.smsc.next("close")
        self.assertEqual(await provider.send(NUMBER, TEXT), unusable)
        self.secrets["smpp-main"] = b"correct"
        await self.until_bound(provider)
        self.assertIsInstance(await provider.send(NUMBER, TEXT), Accepted)

    async def test_nobody_there(self) -> None:
        """An SMSC that is down is temporary, and found when it comes."""
        port = await self.serve()
        self.smsc.transport.closeStdin()  # type: ignore[union-attr]
        await self.smsc.ended
        self.started.clear()
        provider = self.provider(f"tcp:127.0.0.1:{port}")
        reason = "the connection is refused"
        while provider.trouble != f"not connected, {reason}":
            await deferLater(reactor, 0.05)
        events = logged(self)
        provider._told = None
        before = provider._back_off.failures
        while provider._back_off.failures < before + 2:
            await deferLater(reactor, 0.05)
        self.assertEqual(await provider.send(NUMBER, TEXT), Temporary(reason, handed_over=False))
        lines = [formatEvent(event) for event in events]
        self.assertEqual(lines, [f"Provider main is not connected: {reason}"])

    async def test_disconnected_in_the_middle(self) -> None:
        """Messages under way are temporary, those that wait too, and these were certainly not sent."""
        provider = await self.bound(window=2)
        await self.smsc.mode("drop")
        outcomes = await gatherResults([provider.send(NUMBER, TEXT) for _ in range(5)])
        under_way = Temporary("disconnected", handed_over=True)
        self.assertEqual(outcomes, [under_way] * 2 + [DISCONNECTED] * 3)
        self.assertEqual(await provider.send(NUMBER, TEXT), DISCONNECTED)
        await self.smsc.mode("ok")
        await self.until_bound(provider)
        self.assertIsInstance(await provider.send(NUMBER, TEXT), Accepted)

    async def test_slow(self) -> None:
        """A message that is not answered is temporary after `answer_seconds`; who gave it up is forgotten."""
        provider = await self.bound(answer_seconds=0.2)
        await self.smsc.mode("hang")
        given_up = provider.send(NUMBER, TEXT).addErrback(lambda failure: None)
        await self.smsc.next("submit")
        given_up.cancel()
        link = provider._link
        assert link is not None
        self.assertEqual(len(link._requests), 0)
        self.assertEqual(await provider.send(NUMBER, TEXT), Temporary("timed out"))

    async def test_silent(self) -> None:
        """A connection on which nothing is answered any more is cut, and made anew."""
        provider = await self.bound(answer_seconds=0.2, enquire_seconds=0.05)
        await self.smsc.next("enquiry")
        await self.smsc.next("enquiry")
        await self.smsc.mode("hang")
        await self.smsc.next("close")
        await self.smsc.mode("ok")
        await self.until_bound(provider)
        self.assertIsInstance(await provider.send(NUMBER, TEXT), Accepted)

    async def test_bind_is_not_answered(self) -> None:
        """The same before it is bound."""
        port = await self.serve()
        await self.smsc.mode("mute")
        provider = self.provider(f"tcp:127.0.0.1:{port}", answer_seconds=0.1)
        await self.smsc.next("close")
        self.assertEqual(await provider.send(NUMBER, TEXT), Temporary("silent", handed_over=False))
        await self.smsc.mode("ok")
        await self.until_bound(provider)

    async def test_the_smsc_unbinds(self) -> None:
        """It is answered, and comes back to."""
        provider = await self.bound()
        await self.smsc.next("bind")
        self.smsc.order(unbind=True)
        await self.smsc.next("unbound")
        await self.smsc.next("bind")
        await self.until_bound(provider)
        self.smsc.order(enquire=True)
        await self.smsc.next("alive")

    async def test_not_smpp(self) -> None:
        """Octets that are none end the connection, not the provider."""
        provider = await self.bound()
        await self.smsc.next("bind")
        for raw in ("0000000f00000015", "ffffffff00000015", b"HTTP/1.1 200 OK\r\n\r\n".hex()):
            self.smsc.order(raw=raw)
            await self.smsc.next("close")
            await self.until_bound(provider)

    async def test_strange_pdus(self) -> None:
        """A PDU that nobody knows is refused, answers to nothing are passed over, and all goes on."""
        provider = await self.bound()
        for raw in (
            "00000010000001030000000000000007",  # data_sm
            "0000001000000005000000000000000800000000"[:32],  # deliver_sm without a body
            "00000010800000040000000000000fff",  # an answer to nothing
            "00000010800000000000000300000fff",
        ):
            self.smsc.order(raw=raw)
        self.assertIsInstance(await provider.send(NUMBER, TEXT), Accepted)
        self.assertIsNotNone(provider._link)

    async def test_stop(self) -> None:
        """The end is an unbind; an SMSC that does not answer it is left anyway."""
        provider = await self.bound()
        await provider.stop()
        await self.smsc.next("unbind")
        await self.smsc.next("close")
        self.assertEqual(await provider.send(NUMBER, TEXT), DISCONNECTED)
        provider = await self.bound(answer_seconds=3)
        await self.smsc.mode("hang")
        sending = provider.send(NUMBER, TEXT)
        await self.smsc.next("submit")
        await provider.stop()
        self.assertEqual(await sending, Temporary("stopped"))
        # Stopped they are.
        self.opened.clear()


class InFrontTests(SmscCase):
    """What a user sees of it, through the real sender."""

    def sender(self, *providers: tuple[str, object]) -> Sender:
        names = [name for name, _ in providers]
        section = SmsSection(
            providers=[SmsProviderSection(name, "smpp") for name in names], number_burst=100, rounds=1
        )
        sender = Sender(reactor, section, providers, Tally(names))  # type: ignore[arg-type]
        return sender

    async def refused(self, sender: Sender) -> tuple[Code, float | None]:
        """What the user is told."""
        try:
            await sender.send(NUMBER, TEXT, HOST)
        except Problem as problem:
            return problem.code, problem.retry_after
        self.fail("it was sent")

    async def test_throttled(self) -> None:
        """The next provider takes the message, and no log knows whom it went to."""
        first = await self.bound()
        await self.smsc.mode("status", status=0x58)
        second = await self.bound()
        events = logged(self)
        sender = self.sender(("first", first), ("second", second))
        await sender.send(NUMBER, TEXT, HOST)
        came = await self.smsc.next("submit")
        self.assertEqual(came["text"], TEXT)
        self.assertEqual(
            sender.report(),
            ["first: left alone for a while; temporary 1", "second: taking messages; taken 1"],
        )
        for secret in (NUMBER[1:], "482913", "correct"):
            self.assertNotIn(secret, str(events))

    async def test_only_throttled(self) -> None:
        """Where there is no next, the user is told when to come back; a bad number is refused for good."""
        sender = self.sender(("first", await self.bound()))
        await self.smsc.mode("status", status=0x0B)
        self.assertEqual(await self.refused(sender), (Code.SMS_UNAVAILABLE, None))
        await self.smsc.mode("status", status=0x58)
        self.assertEqual(await self.refused(sender), (Code.SMS_UNAVAILABLE, 5.0))


class SecureTests(SmscCase):
    async def test_tls(self) -> None:
        """A `tls:` endpoint checks who is there: a CA that is trusted is needed, and its name."""
        chain, key = self_signed(["localhost"])
        folder = Path(self.mktemp())
        (folder / "roots").mkdir(parents=True)
        (folder / "key").write_bytes(key)
        (folder / "roots" / "ca.pem").write_bytes(chain)
        port = await self.serve(str(folder / "key"), str(folder / "roots" / "ca.pem"))
        provider = self.provider(f"tls:localhost:{port}:trustRoots={folder / 'roots'}")
        await self.until_bound(provider)
        self.assertIsInstance(await provider.send(NUMBER, TEXT), Accepted)
        distrusting = self.provider(f"tls:localhost:{port}")
        await deferLater(reactor, 0.5)
        self.assertEqual(await distrusting.send(NUMBER, TEXT), replace(DISCONNECTED, reason="TLS failed"))
        binds = [event for event in self.smsc.events if event["event"] == "bind"]
        self.assertEqual(len(binds), 1)


class NodeTests(NodeCase):
    """A node as a process, with an SMSC as another."""

    def test_status(self) -> None:
        """The node binds with the secret that its operator feeds later on, and shows its provider."""
        node_js = tool("node", "nodejs")
        smsc = subprocess.Popen(
            [node_js, SCRIPT],
            env={"NODE_PATH": str(npm("smpp", "smpp@0.5.1")), "PATH": os.environ["PATH"]},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert smsc.stdin is not None and smsc.stdout is not None
        for clean_up in (smsc.wait, smsc.stdout.close, smsc.stdin.close):
            self.addCleanup(clean_up)
        port = json.loads(smsc.stdout.readline())["port"]
        with self.config.open("a") as config:
            config.write(
                f'[[sms.providers]]\nname = "main"\nkind = "smpp"\n[sms.providers.settings]\n'
                f'endpoint = "tcp:127.0.0.1:{port}"\nsystem_id = "home"\npassword = "secret:smpp-main"\n'
            )
        node = self.serve()
        shown = self.operate("status", "--config", str(self.config))
        self.assertRegex(
            shown, r"(?m)^text messages +main: no secret smpp-main in the store \| today: 0 of 2000 messages"
        )
        self.operate("secret", "set", "smpp-main", "--config", str(self.config), text=b"correct")
        events = (json.loads(line) for line in smsc.stdout)
        bind = next(event for event in events if event["event"] == "bind")
        self.assertTrue(bind["right"])
        connected = "Provider main is connected."
        self.until((1, ""), lambda: (self.log.read_text().count(connected), ""))
        self.stop(node)
        smsc.stdin.close()
        self.assertIn("unbind", [event["event"] for event in events])
        self.assertNotIn("correct", self.log.read_text())
