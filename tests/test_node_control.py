"""A node's operator at work with the real command line: sign-up, invites, policy, accounts, limits."""

import json
import subprocess
from base64 import b64encode
from hashlib import sha256
from typing import Any
from urllib.request import urlopen

from safeum_home.accounts.policy import standard
from safeum_home.protocol.invites import code_in
from tests.e2e import warm
from tests.e2e.needs import tool
from tests.e2e.wire import RawClient, Refused, Wire
from tests.node_case import NodeCase

UNBOUNDED = [("logins_per_account", text) for text in ("inf", "+inf", "Infinity", "nan", "1e400", "1e-320")]
UNBOUNDED += [("commands_burst", "9" * 25)]


class ControlTests(NodeCase):
    def tell(self, *arguments: str, code: int = 0, text: bytes = b"") -> str:
        """A command for the node of this test."""
        return self.operate(*arguments, "--config", str(self.config), code=code, text=text)

    def asked(self, *arguments: str) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.tell(*arguments, "--json"))
        return answer

    def told(self, *arguments: str) -> str:
        """Why a command is refused."""
        done = warm.run(["safeum-home", *arguments, "--config", str(self.config)])
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        return done.stderr.decode().strip()

    def refused(self, name: str, **more: str) -> str:
        code: str = self.assertRaises(Refused, self.sign_up, name, **more).code
        return code

    def test_invites(self) -> None:
        """A closed node lets in who has an invite, once; nothing of it is left on disk or in the log."""
        node = self.serve()
        self.assertEqual(self.tell("registration"), "open (as configured)")
        self.tell("registration", "closed")
        self.assertEqual(self.refused("alice"), "registration_closed")
        self.assertIn("the configuration says open", self.tell("registration", "invite"))
        self.assertEqual(self.refused("alice"), "invite_needed")

        png, svg = self.folder / "invite.png", self.folder / "invite.svg"
        pictures = ("--png", str(png), "--svg", str(svg))
        link = self.tell("invites", "create", "--label", "next door", *pictures)
        self.assertRegex(link, r"^https://localhost/invite#[a-z2-7]{26}$")
        self.assertEqual((png.stat().st_mode & 0o777, svg.stat().st_mode & 0o777), (0o600, 0o600))
        self.assertIn(b"<svg", svg.read_bytes())
        self.tell("invites", "create", *pictures, code=1)  # replaces no file, and makes no invite
        [invite] = self.asked("invites", "list")["invites"]
        self.assertEqual((invite["label"], invite["left"], invite["uses"]), ("next door", 1, 1))
        self.assertNotIn(code_in(link), json.dumps(invite))

        self.sign_up("alice", invite=code_in(link))
        self.assertEqual(self.refused("bob", invite=code_in(link)), "invite_needed")
        self.assertIn("0 of 1 left", self.tell("invites", "list"))
        self.tell("invites", "revoke", invite["id"])
        self.assertEqual(self.tell("invites", "list"), "")
        self.tell("invites", "revoke", invite["id"], code=1)
        for option, beyond, most in (("--days", "0", 365), ("--days", "9999", 365), ("--uses", "0", 10_000)):
            told = self.told("invites", "create", option, beyond)
            self.assertEqual(told, f"safeum-home: {option} is from 1 to {most}.")
        self.tell("invites", "create", "--uses", "x", code=2)

        self.stop(node)
        node = self.serve()
        self.assertEqual(self.asked("registration")["mode"], "invite")
        self.assertEqual(self.tell("registration", "configured"), "open (as configured)")
        self.sign_up("bob")
        self.stop(node)
        self.assertNotIn("Traceback", self.log.read_text())
        left = [self.log, *(path for path in (self.folder / "state").rglob("*") if path.is_file())]
        for path in left:
            for secret in (code_in(link), "next door", "alice"):
                self.assertNotIn(secret.encode(), path.read_bytes(), f"{secret} is in {path.name}")

    def safeum(
        self, command: str, *arguments: str, text: str = "", code: int = 0
    ) -> "subprocess.CompletedProcess[str]":
        """A client's command, at this node."""
        where = ("--node", f"localhost:{self.port}", "--ca", str(self.folder / "chain.pem"))
        done = warm.run(["safeum", command, *where, *arguments], text.encode())
        said = done.stdout.decode(), done.stderr.decode()
        self.assertEqual(done.returncode, code, said)
        return subprocess.CompletedProcess(done.args, done.returncode, *said)

    def test_a_person_with_a_link(self) -> None:
        """From the operator's command to the client's, with the whole link as it was handed over."""
        self.serve()
        self.tell("registration", "invite")
        link = self.tell("invites", "create")
        self.assertIn(f"version {standard().version}:", self.safeum("policy").stdout)
        password = "correct horse battery\n"
        sign_up: tuple[str, ...] = ("--login", "alice")
        refused = self.safeum("register", *sign_up, text=password, code=1)
        self.assertIn(f"--agree {standard().version} agrees", refused.stderr)
        sign_up = (*sign_up, "--agree", standard().version)
        refused = self.safeum("register", *sign_up, text=password, code=1)
        self.assertIn("needs an invite", refused.stderr)
        # The password is the first line and the invite the second, of one descriptor.
        sign_up = (*sign_up, "--invite-fd", "0")
        done = self.safeum("register", *sign_up, text=f"{password}{link}\n")
        self.assertIn("alice@localhost", done.stdout)
        other = ("--login", "bob", *sign_up[2:])
        refused = self.safeum("register", *other, text=f"{password}{link}\n", code=1)
        self.assertIn("needs an invite", refused.stderr)

    def test_many_at_once(self) -> None:
        """Of eight sign-ups at one moment with an invite for three, three get in."""
        self.serve()
        self.tell("registration", "invite")
        code = code_in(self.tell("invites", "create", "--uses", "3"))
        clients = [RawClient(Wire(self.port, self.alpn)) for _ in range(8)]
        device = {"name": "a device", "system": "a system"}
        about = {"password": "correct horse battery", "device": device, "consent": standard().version}
        for number, client in enumerate(clients):
            params = {"username": f"person{number}", "invite": code, **about}
            client.send(id=0, method="account.register", params=params)
        answers = [client.read() for client in clients]
        codes = [answer["error"]["data"]["code"] for answer in answers if "error" in answer]
        self.assertEqual(codes, ["invite_needed"] * 5)
        for client in clients:
            client.close()
        self.assertEqual(self.asked("accounts")["accounts"], 3)
        self.assertEqual(self.asked("invites", "list")["invites"][0]["left"], 0)

    def test_options_on_either_side(self) -> None:
        """What says which node is meant may stand before a nested command or behind it."""
        self.serve()
        self.sign_up("alice")
        where = ("--config", str(self.config))
        before = self.operate("accounts", *where, "--json", "show", "alice")
        self.assertEqual(before, self.operate("accounts", "show", "alice", "--json", *where))
        socket = ("--socket", str(self.folder / "state" / "admin.sock"))
        self.assertEqual(before, self.operate("accounts", *socket, "show", "--json", "alice"))

    def test_codes(self) -> None:
        """The QR code holds the link: in the terminal's form something is printed, and in the picture."""
        program = tool("zbarimg", "zbar-tools")
        self.serve()
        png = self.folder / "invite.png"
        link = self.tell("invites", "create", "--png", str(png))
        done = subprocess.run(
            [program, "--quiet", "--raw", png], capture_output=True, text=True, check=True, timeout=60
        )
        self.assertEqual(done.stdout.strip(), link)
        shown = self.tell("invites", "create", "--qr").splitlines()
        self.assertGreater(len(shown), 15)
        self.assertIn("/invite#", shown[-1])

    def test_page(self) -> None:
        """The page behind the link: the same for every code, without a script, under a tight policy."""
        self.serve()
        with urlopen(f"https://localhost:{self.port}/invite", context=self.tls) as answer:
            page, headers = answer.read().decode(), answer.headers
        self.assertEqual(headers["Content-Type"], "text/html; charset=utf-8")
        self.assertRegex(headers["Content-Security-Policy"], r"^default-src 'none'; style-src 'sha256-")
        self.assertEqual((headers["Referrer-Policy"], headers["Cache-Control"]), ("no-referrer", "no-store"))
        self.assertIn("safeum chat --node localhost", page)
        style = page.partition("<style>")[2].partition("</style>")[0]
        self.assertIn(b64encode(sha256(style.encode()).digest()).decode(), headers["Content-Security-Policy"])
        with urlopen(f"https://localhost:{self.port}/group", context=self.tls) as answer:
            group = answer.read().decode()
            self.assertEqual(answer.headers["Content-Security-Policy"], headers["Content-Security-Policy"])
        self.assertIn("<code>/join</code>", group)
        for word in ("<script", "src=", "href=", "http"):
            self.assertNotIn(word, page + group)

    def test_policy(self) -> None:
        """The operator's own text, put into place while the node runs."""
        file = self.folder / "policy.txt"
        self.config.write_text(self.config.read_text() + f'[policy]\nfile = "{file}"\n')
        file.write_text("version: 7\n\nIt keeps what you send.\n")
        self.serve()
        self.assertEqual(self.asked("policy")["text"], "It keeps what you send.")
        self.sign_up("alice")
        self.assertEqual(self.asked("accounts", "show", "alice")["policy"], "7")
        for broken in ("It keeps all.", "version: 8\n\x1b[2J", "version: 7\nIt keeps more."):
            file.write_text(broken)
            self.tell("policy", "reload", code=1)
            kept = self.asked("policy")
            self.assertEqual((kept["version"], kept["text"]), ("7", "It keeps what you send."))
        file.write_text("version: 7\nIt keeps what you send.")
        self.assertEqual(self.tell("policy", "reload"), f"version 7, from {file}")
        file.write_text("version: 8\nIt keeps less.\n")
        self.assertEqual(self.tell("policy", "reload"), f"version 8, from {file}")
        self.assertEqual(self.tell("policy").splitlines()[-1], "It keeps less.")
        device = {"name": "a device", "system": "a system"}
        with RawClient(Wire(self.port, self.alpn)) as client:
            login = {"username": "alice", "password": "correct horse battery", "device": device}
            self.assertEqual(client.call("session.login", **login)["policy"], "8")
            client.call("policy.accept", version="8")
        self.assertEqual(self.asked("accounts", "show", "alice")["policy"], "8")

    def test_no_authorities(self) -> None:
        """A node that is to trust those in a file does not start without it: shares are not fed in vain."""
        file = self.folder / "authorities.pem"
        self.config.write_text(self.config.read_text() + f'[federation]\nca = "{file}"\n')
        for why in ("No such file or directory", "it holds no certificates (PEM)"):
            self.assertEqual(self.start().wait(60), 1)
            self.assertIn(f"safeum-home: federation.ca, {file}: {why}", self.log.read_text())
            file.write_text("nothing")

    def test_no_policy(self) -> None:
        """A node without the policy that it is to show does not start; one that lost it says so."""
        file = self.folder / "policy.txt"
        self.config.write_text(self.config.read_text() + f'[policy]\nfile = "{file}"\n')
        node = self.start()
        self.assertEqual(node.wait(60), 1)
        self.assertIn(f"policy.file, {file}: it cannot be read", self.log.read_text())
        file.write_text("version: 1\nIt keeps all.")
        self.start()
        self.until((503, "sealed"))
        file.unlink()
        self.tell("unseal", text=self.words.encode(), code=4)
        self.until((503, "failed"))
        self.assertNotIn("Traceback", self.log.read_text())

    def test_accounts(self) -> None:
        """That they are there, and nothing of what is in them."""
        self.serve()
        self.sign_up("alice")
        self.assertEqual(self.asked("accounts"), {"accounts": 1, "connected": 0, "closed": 0})
        with RawClient(Wire(self.port, self.alpn)) as client:
            about = {"username": "bob", "password": "correct horse battery", "consent": standard().version}
            client.call("account.register", **about, device={"name": "a device", "system": "a system"})
            client.call("profile.set", profile={"display_name": "Robert", "status": "away"})
            self.assertEqual(self.asked("accounts"), {"accounts": 2, "connected": 1, "closed": 0})
            shown = self.asked("accounts", "show", "BOB")
            self.assertEqual((shown["devices"], shown["connected"]), (1, 1))
            self.assertRegex(shown["account"], r"^@[a-z2-7]{26}:localhost$")
            self.assertEqual(
                set(shown), {"account", "created_at", "devices", "connected", "policy", "policy_at"}
            )
            words = self.tell("accounts", "show", text=b"bob\n")
            self.assertIn("devices       1, connected: 1", words)
            self.assertNotIn("Robert", words)
            for written in (" bob@localhost", "@bob@LOCALHOST ", shown["account"].upper()):
                self.assertEqual(self.asked("accounts", "show", written), shown)
        for nobody in ("carol", "no login", "a" * 300, "safeum", "bob@elsewhere.example", "bob@", "+44 7700"):
            self.tell("accounts", "show", nobody, code=1)
        self.assertNotIn("bob", self.log.read_text())

    def test_limits(self) -> None:
        """Looked at, changed until the next start, at the edge too."""
        node = self.serve()
        rows = {row["name"]: row for row in self.asked("limits")["limits"]}
        self.assertEqual((rows["devices"]["value"], rows["signups_per_address"]["held_back"]), (50, 0))
        self.assertIn("configured: 50", self.tell("limits", "set", "devices", "3"))
        for arguments in (("devices", "51"), ("devices", "many"), ("device", "3"), *UNBOUNDED):
            self.tell("limits", "set", *arguments, code=1)
        self.assertEqual(self.asked("limits")["limits"][0], next(iter(rows.values())))
        self.tell("limits", "set", "devices", code=2)
        self.tell("limits", "set", "signups_per_address_burst", "1")
        self.sign_up("alice")
        self.assertEqual(self.refused("bob"), "rate_limited")
        self.assertRegex(self.tell("limits"), r"(?m)^signups_per_address +0\.01 +held back: 1$")
        self.assertRegex(self.tell("limits"), r"(?m)^outbound_bytes +1048576$")
        self.assertRegex(self.tell("limits"), r"(?m)^group_descriptions_per_account_burst +30( |$)")
        for line in self.tell("limits").splitlines():
            self.assertRegex(line, r"^[a-z_]+ +([0-9.]+|stay|sleep)(  |$)")
        self.tell("limits", "set", "ping_seconds", "7")
        where = f"https://localhost:{self.port}/.well-known/safeum/client"
        with urlopen(where, context=self.tls) as answer:
            self.assertEqual(json.load(answer)["limits"]["ping_interval"], 7)
        self.tell("limits", "set", "connections_per_address", "1")
        with RawClient(Wire(self.port, self.alpn)) as client:
            client.call("policy.get")
            self.assertRaises((OSError, EOFError), Wire, self.port, self.alpn)
            [row] = [
                row for row in self.asked("limits")["limits"] if row["name"] == "connections_per_address"
            ]
            self.assertEqual(row["held_back"], 1)
        self.stop(node)
        self.serve()
        self.assertEqual(self.asked("limits")["limits"], list(rows.values()))

    def test_sealed(self) -> None:
        """While the node is sealed nothing of this can be had, and that is said."""
        self.start()
        self.until((503, "sealed"))
        for arguments in (
            ("accounts",),
            ("accounts", "show", "alice"),
            ("limits",),
            ("limits", "set", "devices", "3"),
            ("registration",),
            ("registration", "closed"),
            ("invites", "list"),
            ("invites", "create"),
            ("policy",),
            ("policy", "reload"),
            ("invites", "create", "--png", str(self.folder / "invite.png")),
        ):
            self.tell(*arguments, code=1)
        self.assertFalse((self.folder / "invite.png").exists())
