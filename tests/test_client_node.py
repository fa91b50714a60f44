"""The client side against a node, over TLS: the guide's echo bot, the pipe, the terminal, asyncio."""

import asyncio
import json
import re
import signal
import subprocess
import sys
from pathlib import Path

from safeum_home.accounts.policy import standard
from safeum_home.client import Disconnected, RemoteProblem, aio
from safeum_home.errors import Code
from safeum_home.protocol.events import ContactChanged, MemberChanged, PresenceChanged, ProfileChanged
from safeum_home.protocol.presence import PresenceState
from safeum_home.protocol.types import ContactState, DeviceType, Message, Text
from tests.client_node_case import PASSWORD, SECONDS, NodeCase, until
from tests.test_accounts_avatars import largest

ROOT = Path(__file__).parent.parent


def guide_block(containing: str) -> str:
    """The block of the guide that holds this text."""
    blocks = re.findall(
        r"^```python\n(.*?)^```$", (ROOT / "docs" / "client-guide.md").read_text(), re.M | re.S
    )
    (block,) = [block for block in blocks if containing in block]
    return str(block)


class NodeTests(NodeCase):
    """Each test has a node of its own."""

    def test_the_echo_bot_of_the_guide(self) -> None:
        bot = guide_block("events = client.events()")
        self.assertLess(len(bot.splitlines()), 30)
        self.register("echo")
        self.register("caller")
        script = self.box / "bot.py"
        script.write_text(bot)
        process = self.start(
            sys.executable, str(script), self.address, str(self.ca), "echo", stdin=subprocess.PIPE
        )
        assert process.stdin is not None
        process.stdin.write(PASSWORD.encode() + b"\n")
        process.stdin.flush()

        async def talk() -> str:
            async with await self.connect() as client:
                events = client.events()
                await client.login("caller", PASSWORD)
                found = await client.find("echo")
                await client.request(found.account, found.address)
                async for event in events:
                    if isinstance(event, ContactChanged) and event.contact.state is ContactState.ACCEPTED:
                        await client.send(event.contact.chat, "Is anybody there?")
                    if isinstance(event, Message) and event.sender == found.account:
                        assert isinstance(event.body, Text)
                        return event.body.text
                raise AssertionError("the events ended")

        self.assertEqual(asyncio.run(asyncio.wait_for(talk(), SECONDS)), "Is anybody there?")

    def test_the_pipe_answers_and_ends_with_its_input(self) -> None:
        self.register("piper")
        requests = [
            {"method": "profile.set", "params": {"profile": {"display_name": "Piper"}}, "id": 1},
            {"method": "profile.get", "id": "two"},
        ]
        done = self.safeum("pipe", "piper", "\n".join([PASSWORD, *map(json.dumps, requests)]))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        answers = {line["id"]: line for line in map(json.loads, done.stdout.splitlines()) if "id" in line}
        self.assertEqual(set(answers), {1, "two"})
        self.assertIn("profile", answers["two"]["result"])

    def test_a_group(self) -> None:
        """Two of the SDK's clients, over TLS: made, joined, written into, and left."""
        for login in ("ann", "ben"):
            self.register(login)

        async def meet() -> tuple[list[str], bool]:
            async with await self.connect() as ann, await self.connect() as ben:
                heard = ben.events()
                for client, login in ((ann, "ann"), (ben, "ben")):
                    await client.login(login, PASSWORD)
                    await client.load()
                found = await ann.find("ben")
                await ann.request(found.account, found.address)
                await ben.accept((await ben.find("ann")).account)
                made = await ann.create_group("Walks", [found.account])
                chat = made.chat.chat
                await ben.accept_invitation(chat)
                await ann.send(chat, "On Sunday?")
                told = []
                async for event in heard:
                    if isinstance(event, Message) and event.chat == chat:
                        assert ben.state.authentic(event) is not False
                        told.append(event.body.text if isinstance(event.body, Text) else "notice")
                        if len(told) == 2:
                            break
                view = ben.state.chat(chat)
                assert ben.state.groups.invitations == {} and view is not None and view.role == "member"
                told += sorted(member.role for member in (await ben.members(chat)).members)
                await ben.leave_group(chat)
                async for event in heard:
                    if isinstance(event, MemberChanged) and event.member.state == "left":
                        break
                return told, ben.state.chat(chat) is None

        told, gone = asyncio.run(asyncio.wait_for(meet(), SECONDS))
        self.assertEqual((told, gone), (["notice", "On Sunday?", "member", "owner"], True))

    def test_errors_of_the_command_are_words_and_a_status(self) -> None:
        done = self.safeum("pipe", "nobody", "wrong password\n")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr, "safeum: The login or the password is wrong.\n")

    def test_a_password_is_changed(self) -> None:
        """From the command line: the old one does not let in any more, the new one does."""
        self.register("ada")
        new = "staple battery horse correct"
        done = self.safeum("password", "ada", f"{PASSWORD}\n{new}\n")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("changed", done.stdout)
        self.assertEqual(self.safeum("pipe", "ada", PASSWORD + "\n").returncode, 1)
        self.assertEqual(self.safeum("pipe", "ada", new + "\n").returncode, 0)
        weak = self.safeum("password", "ada", f"{new}\nada\n")
        self.assertEqual((weak.returncode, weak.stdout), (1, ""))

    def test_another_certificate_is_not_trusted(self) -> None:
        with self.assertRaises(Disconnected) as caught:
            asyncio.run(asyncio.wait_for(aio.connect(self.address), SECONDS))
        self.assertIn("not trusted", str(caught.exception))
        self.flushLoggedErrors()

    def test_a_device_comes_back_with_its_token_until_it_is_revoked(self) -> None:
        self.register("returner")

        async def come_and_go() -> None:
            async with await self.connect() as client:
                token = (await client.login("returner", PASSWORD)).token
            async with await self.connect() as client:
                await client.resume(token)
                await client.logout()
            async with await self.connect() as client:
                with self.assertRaises(RemoteProblem) as caught:
                    await client.resume(token)
                self.assertTrue(caught.exception.of(Code.BAD_TOKEN))

        asyncio.run(asyncio.wait_for(come_and_go(), SECONDS))

    def test_a_picture_and_what_is_known_of_a_device(self) -> None:
        """The largest picture there is goes from one client to another, in one frame each way."""
        data = largest()
        self.register("painter")
        self.register("viewer")

        async def show() -> None:
            async with await self.connect() as painter, await self.connect() as viewer:
                mine = await painter.login("painter", PASSWORD)
                theirs = await viewer.login("viewer", PASSWORD)
                await viewer.request(mine.account, mine.address)
                await painter.accept(theirs.account)
                told = viewer.events()
                kept = await painter.set_avatar(data)
                async for event in told:
                    if isinstance(event, ProfileChanged):
                        break
                self.assertEqual((event.account, event.profile.avatar), (mine.account, kept.avatar))
                picture = await viewer.avatar(kept.avatar, mine.account)
                self.assertEqual((picture.type, picture.data), ("image/png", data))
                [device] = (await painter.devices()).devices
                self.assertEqual((device.type, device.model), (DeviceType.DESKTOP, None))
                self.assertIn(device.address, ("127.0.0.1", "::1"))
                self.assertTrue(device.time_zone)

        asyncio.run(asyncio.wait_for(show(), SECONDS))

    def test_who_is_there(self) -> None:
        """Contacts see each other come, hide and go, over a real connection and in real time."""
        self.register("watcher")
        self.register("watched")

        async def watch() -> None:
            async with await self.connect() as watcher, await self.connect() as watched:
                mine = await watcher.login("watcher", PASSWORD)
                theirs = await watched.login("watched", PASSWORD)
                await watched.request(mine.account, mine.address)
                await watcher.accept(theirs.account)
                presence, told = watcher.state.presence, watcher.events()

                async def until(state: PresenceState) -> None:
                    async for event in told:
                        if isinstance(event, PresenceChanged) and presence.of(theirs.account).state is state:
                            return

                await until(PresenceState.ONLINE)
                self.assertTrue((await watched.hide(presence=True)).hide_presence)
                await until(PresenceState.UNKNOWN)
                await watched.hide(presence=False)
                await until(PresenceState.ONLINE)
                watched.set_active(False)
                await until(PresenceState.AWAY)
                await watched.close()
                await until(PresenceState.OFFLINE)
                self.assertTrue(presence.of(theirs.account).last_seen)

        asyncio.run(asyncio.wait_for(watch(), SECONDS))

    def test_a_node_with_another_certificate_is_the_end(self) -> None:
        with self.chat() as (screen, process):
            for prompt, line in (
                (b"sign up", b""),
                (b"Do you agree?", b"yes"),
                (b"Choose a login", b"newcomer"),
                (b"Choose a password", PASSWORD.encode()),
                (b"Once more", PASSWORD.encode()),
            ):
                until(screen, prompt)
                screen.write(line + b"\r")
            until(screen, b"connected")
            self.node.send_signal(signal.SIGTERM)
            until(screen, b"reconnecting")
            self.start_node(self.address.partition(":")[2])
            until(screen, b"is not the one given with --ca")
            self.assertEqual(process.wait(SECONDS), 1)

    def test_an_account_is_closed(self) -> None:
        """A PIN is set unseen in the terminal; with it the account is closed from another device."""
        self.register("closer")
        pin = "284716"
        with self.chat("--login", "closer") as (screen, process):
            until(screen, b"Password")
            screen.write(PASSWORD.encode() + b"\r")
            until(screen, b"connected")
            shown = b""
            # The screen writes only what changes: the P of "PIN" stands there already.
            for line, prompt in (("/pin set", b"Password"), (PASSWORD, b"IN:"), (pin, b"once more")):
                screen.write(line.encode() + b"\r")
                shown += until(screen, prompt)
            screen.write(pin.encode() + b"\r")
            shown += until(screen, b"PIN 1 is")
            self.assertNotIn(pin.encode(), shown)
            self.assertNotIn(PASSWORD.encode(), shown)
            wrong = self.safeum("close-account", "closer", "905813\n")
            self.assertEqual((wrong.returncode, wrong.stdout), (1, ""))
            self.assertEqual(wrong.stderr, "safeum: The login or the PIN is wrong.\n")
            done = self.safeum("close-account", "closer", pin + "\n")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("closed, for ever", done.stdout)
            until(screen, b"This account was closed")
            screen.write(b"/quit\r")
            self.assertEqual(process.wait(SECONDS), 0)
        refused = self.safeum("pipe", "closer", PASSWORD + "\n")
        self.assertEqual(refused.stderr, "safeum: The login or the password is wrong.\n")
        again = self.safeum("register", "closer", PASSWORD + "\n", "--agree", standard().version)
        self.assertEqual(again.stderr, "safeum: Somebody else has this login already.\n")

    def test_signing_up_by_number(self) -> None:
        """At a real terminal, with the code that the node's own terminal shows."""
        with self.chat() as (screen, process):
            until(screen, b"sign up")
            screen.write(b"\r")
            until(screen, b"Do you agree?")
            screen.write(b"yes\r")
            until(screen, b"Choose a login, or give your mobile number")
            screen.write(b"+49 171 123-4567\r")
            self.assertIn(b"operator", until(screen, b"Have the code sent?"))
            screen.write(b"yes\r")
            sent = re.search(rb"Text message to \+491711234567: (\d{6})", until(self.said, b"SafeUM code"))
            assert sent is not None
            until(screen, b"Code (empty")
            screen.write(sent[1] + b"\r")
            for prompt in (b"Choose a password", b"Once more"):
                until(screen, prompt)
                screen.write(PASSWORD.encode() + b"\r")
            until(screen, b"connected")
            screen.write(b"/quit\r")
            self.assertEqual(process.wait(SECONDS), 0)
        done = self.safeum("pipe", "+491711234567", PASSWORD + '\n{"method": "number.keep", "id": 1}\n')
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("+491711234567@localhost", done.stdout)
        self.assertIn('"id":1,"result":{}', done.stdout)

    def test_the_terminal_on_a_terminal(self) -> None:
        self.register("sitter")
        with self.chat("--login", "sitter") as (screen, process):
            until(screen, b"Password")
            screen.write(PASSWORD.encode() + b"\r")
            shown = until(screen, b"connected")
            self.assertNotIn(PASSWORD.encode(), shown)
            screen.write(b"/devices\r")
            until(screen, b"this")
            screen.write(b"/quit\r")
            self.assertEqual(process.wait(SECONDS), 0)
