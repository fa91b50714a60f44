"""The configuration file: strict, and without a secret in any shape."""

import contextlib
import re
from pathlib import Path

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec import ValidationError, convert
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.config import Config, ConfigError, LimitSection, load, parse
from safeum_home.protocol import MAX_FRAME
from safeum_home.protocol.commands import DeviceList
from safeum_home.protocol.frames import encode_result
from safeum_home.protocol.types import DeviceEntry, DeviceInfo, DeviceType

ROOT = Path(__file__).parent.parent
NODE = '[node]\nname = "home.example"\nstate_dir = "/var/lib/safeum"\n'
SECRET = "hunter2-hunter2"


class ConfigCase(SynchronousTestCase):
    def refused(self, text: str) -> str:
        """Why a configuration is refused; the reason never quotes the secret."""
        error = self.assertRaises(ConfigError, parse, text)
        self.assertNotIn(SECRET, str(error))
        self.assertNotIn("hunter2", str(error))
        return str(error)


class StrictnessTests(ConfigCase):
    def test_least(self) -> None:
        """A name and a place are enough; the rest has defaults."""
        config = parse(NODE)
        self.assertEqual(config.admin_socket, Path("/var/lib/safeum/admin.sock"))
        self.assertEqual((config.database.url, config.tls.key), ("sqlite", "secret:tls-key"))
        self.assertEqual((config.registration.mode, config.policy.file), ("open", "standard"))

    def test_unknown(self) -> None:
        """What is not known is refused with its name: a misspelt limit must not be no limit."""
        self.assertIn("comands_per_second", self.refused(NODE + "[limits]\ncomands_per_second = 5"))
        self.assertIn("limit", self.refused(NODE + "[limit]\ndevices = 5"))
        self.assertIn("nmae", self.refused('[node]\nnmae = "x"\nstate_dir = "/x"'))
        self.refused('nmae = "x"\n' + NODE)

    def test_missing(self) -> None:
        """A node has a name and a place."""
        for text in ("", "[node]", '[node]\nname = "home.example"', '[node]\nstate_dir = "/x"'):
            self.refused(text)

    def test_values(self) -> None:
        """Types and ranges are held, and where it is wrong is said."""
        for line in (
            "devices = 0",
            "devices = 51",
            "devices = true",
            "devices = 1.5",
            'devices = "50"',
            "in_flight = 1",
            "ping_seconds = -1.0",
            "ping_seconds = inf",
            "commands_per_second = nan",
            "commands_per_second = inf",
            "commands_per_second = 1e400",
            "commands_per_second = 1e-320",
            "logins_per_account = +inf",
            "commands_burst = 9223372036854775807",
            "commands_per_second = 0.0",
        ):
            self.assertIn(f"limits.{line.split()[0]}", self.refused(f"{NODE}[limits]\n{line}"))
        self.refused(NODE + "[listen]\nclients = []")
        self.refused(NODE + "[passwords]\nmemory_mib = 1")
        self.assertEqual(parse(NODE + "[limits]\ncommands_per_second = 5").limits.commands_per_second, 5.0)

    def test_the_most_devices_fit_a_frame(self) -> None:
        """A list of as many devices as can be allowed is sent whole, whatever they are called."""
        most = max(
            count for count in range(1, 1000) if not self._is_refused(f"{NODE}[limits]\ndevices = {count}")
        )
        self.assertGreaterEqual(most, LimitSection().devices)
        for character in '\0\x1f\x7f"\\\u2028\ud7ff\U0010ffff':
            text = character * 64
            most_octets = "\U0010ffff" * 32
            details = (DeviceType.DESKTOP, most_octets, most_octets, "A" * 40)
            device = {"name": text, "system": text, "type": "desktop", "time_zone": details[3]}
            device |= {"model": most_octets, "region": most_octets}
            self.assertEqual(convert(device, DeviceInfo), DeviceInfo(text, text, *details))
            for longer in ("\x1f", "\x7f", most_octets + "x", "a\nb", ""):
                self.assertRaises(ValidationError, convert, device | {"model": longer}, DeviceInfo)
                self.assertRaises(ValidationError, convert, device | {"region": longer}, DeviceInfo)
            address = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"
            entry = DeviceEntry("D" + "a" * 16, text, text, 2**53 - 1, False, False, *details, address)
            frame = encode_result(2**53 - 1, DeviceList([entry] * most))
            self.assertLessEqual(len(frame), MAX_FRAME)

    def _is_refused(self, text: str) -> bool:
        with contextlib.suppress(ConfigError):
            parse(text)
            return False
        return True

    def test_names(self) -> None:
        """A node's name has one written form."""
        for name in ("", "home_example", "Home.example", "home.example:0", "a b", "home.example/", "-a.b"):
            self.assertIn("node.name", self.refused(f'[node]\nname = "{name}"\nstate_dir = "/x"'))
        for name in ("localhost", "home.example:8443", "xn--bcher-kva.example"):
            self.assertEqual(parse(f'[node]\nname = "{name}"\nstate_dir = "/x"').node.name, name)

    def test_not_toml(self) -> None:
        """What is not TOML is refused with the place, not with what stands there."""
        self.assertIn("line 4", self.refused(f"{NODE}[database]\nurl = {SECRET}").replace("line 5", "line 4"))
        self.refused(f'{NODE}[database]\nurl = "{SECRET}"\nurl = "{SECRET}"')

    @given(st.text(max_size=200))
    def test_anything(self, text: str) -> None:
        """Whatever stands in the file, it is a configuration or refused."""
        for whole in (text, NODE + text, f"{NODE}[database]\nurl = {msgspec.json.encode(text).decode()}"):
            with contextlib.suppress(ConfigError):
                self.assertIsInstance(parse(whole), Config)


class FederationTests(ConfigCase):
    """[federation]"""

    def federation(self, line: str) -> str:
        return f"{NODE}[federation]\n{line}"

    def test_whom(self) -> None:
        """Names of nodes in their written form, and all below a domain."""
        names = '["home.example", "home.example:8448", "*.friends.example"]'
        section = parse(self.federation(f'mode = "closed"\nallow = {names}\ndeny = {names}')).federation
        self.assertEqual((section.mode, len(section.allow)), ("closed", 3))
        self.assertEqual(parse(NODE).federation.mode, "open")
        self.assertIn("federation.mode", self.refused(self.federation('mode = "on"')))
        for name in (
            "",
            "*",
            "*.",
            "Home.example",
            "a*.example",
            "*.*.example",
            "*.a.example:8448",
            "home_example",
            "10.0.0.0/8",
        ):
            for key in ("allow", "deny"):
                self.assertIn(f"federation.{key}", self.refused(self.federation(f'{key} = ["{name}"]')))

    def test_networks(self) -> None:
        """Networks, not addresses in them, and not names."""
        parse(self.federation('networks = ["10.0.0.0/8", "127.0.0.1", "fd00::/8", "64:ff9b::/96"]'))
        for network in ("10.0.0.1/8", "home.example", "", "10.0.0.0/33"):
            self.assertIn("federation.networks", self.refused(self.federation(f'networks = ["{network}"]')))

    def test_server(self) -> None:
        """A host, with a port or without."""
        for server in ("", "home.example", "home.example:8448", "192.0.2.1", "[2001:db8::1]:8448"):
            self.assertEqual(parse(self.federation(f'server = "{server}"')).federation.server, server)
        for server in (
            "https://home.example",
            "home.example/",
            "home.example:0",
            "127.1",
            "::1",
            "[::1",
            "A.b",
        ):
            self.assertIn("federation.server", self.refused(self.federation(f'server = "{server}"')))
        self.assertIn("federation.ca", self.refused(self.federation('ca = "ca.pem"')))


class TextMessageTests(ConfigCase):
    """[sms]"""

    def test_providers(self) -> None:
        """A provider has a name of its own, a kind and whatever settings; routes name providers there are."""
        one = '[[sms.providers]]\nname = "main"\nkind = "smpp"\n'
        other = '[[sms.providers]]\nname = "other"\nkind = "smpp"\nsettings = { x = [1, "y"] }\n'
        sms = parse(NODE + '[sms]\nroutes = { "44" = ["other", "main"] }\n' + one + other).sms
        self.assertEqual([p.name for p in sms.providers], ["main", "other"])
        self.assertEqual(sms.providers[1].settings, {"x": [1, "y"]})
        self.assertIn("two of one name", self.refused(NODE + one + one))
        for route in (
            '"44" = ["mian"]',
            '"44" = []',
            '"+44" = ["main"]',
            '"044" = ["main"]',
            '"" = ["main"]',
        ):
            self.assertIn("sms.routes", self.refused(f"{NODE}[sms]\nroutes = {{ {route} }}\n{one}"))
        for name in ("", "Main", "a b", "main\\n", "a" * 33):
            self.refused(f'{NODE}[[sms.providers]]\nname = "{name}"\nkind = "smpp"')
            self.refused(f'{NODE}[[sms.providers]]\nname = "main"\nkind = "{name}"')

    def test_text(self) -> None:
        """The code stands in the message once, and nothing else is filled in."""
        for text in ("", "code", "{code} {code}", "{code} {", "{code}}", "{{code}}", "{0}", "{code!r}"):
            self.assertIn("sms.text", self.refused(f'{NODE}[sms]\ntext = "{text}"'))
        sms = parse(NODE + '[sms]\ntext = "Ihr Code: {code}"').sms
        self.assertEqual(sms.written("482913"), "Ihr Code: 482913")

    def test_prices(self) -> None:
        """Prices are whole millionths, by the first digits of numbers."""
        self.assertEqual(parse(NODE + '[sms]\nprices = { "44" = 40_000 }').sms.prices, {"44": 40_000})
        for price in ('"44" = 0.04', '"44" = -1', '"x" = 1', '"44" = "1"'):
            self.assertIn("sms.prices", self.refused(f"{NODE}[sms]\nprices = {{ {price} }}"))

    def test_secrets(self) -> None:
        """A provider's password is referred to, and never written down."""
        for sort in ("sms", "push"):
            self.secrets(f'{NODE}[[{sort}.providers]]\nname = "main"\nkind = "other"\n')

    def secrets(self, start: str) -> None:
        more = ("key", "signature", "signing_key", "auth", "PIN", "hmac-key")
        for name in ("password", "auth_token", "api_key", *more):
            parse(f'{start}settings = {{ {name} = "secret:smpp-main" }}')
            for value in (SECRET, "", "secret:", "secret: x", "secret:Hunter2-hunter2", "secret:a\\n"):
                self.assertIn(name, self.refused(f'{start}settings = {{ {name} = "{value}" }}'))
        for fine in ("sender", "url", "keyboard", "assigned", "pinned", "key_id"):
            parse(f'{start}settings = {{ {fine} = "anything" }}')
        self.assertIn("key", self.refused(f'{start}settings = {{ more = {{ key = "{SECRET}" }} }}'))


class PushTests(ConfigCase):
    """[push]"""

    def test_providers(self) -> None:
        """A provider has a name of its own, a kind and whatever settings."""
        one = '[[push.providers]]\nname = "apple"\nkind = "apns"\n'
        other = '[[push.providers]]\nname = "google"\nkind = "fcm"\nsettings = { x = [1, "y"] }\n'
        push = parse(NODE + one + other).push
        found = {provider.name: provider.settings for provider in push.providers}
        self.assertEqual(found, {"apple": {}, "google": {"x": [1, "y"]}})
        self.assertIn("push.providers", self.refused(NODE + one + one))

    def test_time_of_a_provider(self) -> None:
        """None allows itself more time than it is given."""
        one = '[[push.providers]]\nname = "apple"\nkind = "apns"\nsettings = { seconds = %s }\n'
        for seconds, attempt in (("8.5", "8"), ("11", "10")):
            found = self.refused(f"{NODE}[push]\nattempt_seconds = {attempt}\n{one % seconds}")
            self.assertIn("push.providers: apple: seconds", found)
        parse(f"{NODE}[push]\nattempt_seconds = 8\n{one % '8.0'}")

    def test_bounds(self) -> None:
        """Nothing can be set to nothing, or to no end."""
        for setting in ("queue", "concurrency", "message_seconds", "call_seconds", "attempt_seconds"):
            for value in (0, -1, "inf"):
                self.assertIn(f"push.{setting}", self.refused(f"{NODE}[push]\n{setting} = {value}"))


class SecretTests(ConfigCase):
    def test_in_a_url(self) -> None:
        """Neither as a user's password nor as a parameter, whichever way it is written."""
        for url in (
            f"postgresql://user:{SECRET}@host/db",
            f"postgresql://:{SECRET}@host/db",
            f"postgresql+psycopg://user:{SECRET}@host/db",
            f"postgresql://user:p%40{SECRET}@host/db",
            f"postgresql://user:x@{SECRET}@host/db",
            *(f"postgresql://user:a{mark}{SECRET}@host/db" for mark in "/?#:"),
            f"postgresql://user/x:{SECRET}@host/db",
            f"postgresql://user@host/db?password={SECRET}",
            f"postgresql://user@host/db?host=/run&sslpassword={SECRET}",
            f"postgresql://user@host/db?pass%77ord={SECRET}",
            f"postgresql://user@host/db?PASSWORD={SECRET}",
            f"postgresql://user@host/db?a=1;pwd={SECRET}",
            f"postgresql://user@host/db#password={SECRET}",
            f"postgresql://user:{SECRET}@[host/db",
            f"host=host user=user password={SECRET}",
            f"host=host password = '{SECRET}'",
            f"https://host/push?api_key={SECRET}",
            f"https://host/push?apikey={SECRET}",
            f"https://host/push?key={SECRET}",
            f"https://host/push?access_token={SECRET}",
        ):
            self.refused(f'{NODE}[database]\nurl = "{url}"')
            self.refused(f'{NODE}[listen]\norigins = ["https://fine.example", "{url}"]')

    def test_a_database_that_is_none(self) -> None:
        """What is neither of the two kinds is refused at once, not when the node is unsealed."""
        for url in (
            "",
            "sqlite:///home.sqlite",
            "mysql://host/db",
            "postgres://host/db",
            "postgresql+psycopg://host/db",
            "postgresql:host",
            f"user:{SECRET}@host/db",
            f"host=host user=user dbname={SECRET}",
        ):
            self.assertIn("database.url", self.refused(f'{NODE}[database]\nurl = "{url}"'))

    def test_as_a_key(self) -> None:
        """A PEM private key is refused wherever it stands, whatever kind it is."""
        for kind in ("", "RSA ", "EC ", "ENCRYPTED ", "OPENSSH "):
            pem = f"-----BEGIN {kind}PRIVATE KEY-----\n{SECRET}\n-----END {kind}PRIVATE KEY-----"
            for place in ("[tls]\nkey = ", "[tls]\ncertificate = ", "[listen]\norigins = [[", "[x.y]\nz = "):
                closing = "]]" if place.endswith("[[") else ""
                self.assertIn("private key", self.refused(f'{NODE}{place}"""{pem}"""{closing}'))
        self.refused(f'{NODE}[tls]\nkey = "{SECRET}"')

    def test_under_a_name(self) -> None:
        """What is called a secret is refused, in tables that are known and in others."""
        for name in (
            "password",
            "passwd",
            "db_password",
            "secret",
            "api_key",
            "apikey",
            "token",
            "Passphrase",
        ):
            for table in ("", "[database]\n", "[made.up]\n", "[[push]]\n"):
                text = f'{name} = "{SECRET}"\n{NODE}' if not table else f'{NODE}{table}{name} = "{SECRET}"'
                self.assertIn(name, self.refused(text))
            for value in (f'["{SECRET}"]', f'{{a = "{SECRET}"}}', "12345678"):
                self.refused(f"{NODE}[database]\n{name} = {value}")
        self.refused(f'{NODE}[passwords]\nroot = "{SECRET}"')
        self.refused(f'{NODE}[passwords]\nmemory_mib = "{SECRET}"')

    def test_what_is_no_secret(self) -> None:
        """References to secrets, and databases that need none, are taken."""
        for url in (
            "sqlite",
            "postgresql://user@host:5432/db",
            "postgresql://user@/db?host=/var/run/postgresql&passfile=/etc/pgpass&require_auth=scram-sha-256",
            "postgresql://user@host/db?sslmode=verify-full&sslkey=/run/keys/db.pem",
        ):
            self.assertEqual(parse(f'{NODE}[database]\nurl = "{url}"').database.url, url)
        for key in ("secret:tls-key", "file:/run/keys/tls.pem"):
            self.assertEqual(parse(f'{NODE}[tls]\nkey = "{key}"').tls.key, key)


class FileTests(ConfigCase):
    def test_sample(self) -> None:
        """The sample loads, and shows every setting with its default."""
        sample = (ROOT / "docs" / "node.toml").read_text()
        config = load(ROOT / "docs" / "node.toml")
        self.assertEqual(config.limits, type(config.limits)())
        shown = re.sub(r"^# (?=\w+ = )", "", sample, flags=re.MULTILINE)
        table, seen = "", set()
        for line in shown.splitlines():
            if line.startswith("["):
                table = line.strip("[]")
            elif match := re.match(r"(\w+) = ", line):
                seen.add(f"{table}.{match[1]}")
        known = {
            f"{section.name}.{setting.name}"
            for section in msgspec.structs.fields(Config)
            for setting in msgspec.structs.fields(section.type)
        }
        self.assertEqual(known - seen, set())
        self.assertEqual(seen - known, set())

    def test_files(self) -> None:
        """A file that cannot be read is refused with its name and the reason."""
        path = Path(self.mktemp())
        self.assertIn("No such file", str(self.assertRaises(ConfigError, load, path)))
        path.write_bytes(b"\xff\xfe")
        self.assertIn("not UTF-8", str(self.assertRaises(ConfigError, load, path)))
        path.write_text(NODE + "[x]")
        self.assertIn(str(path), str(self.assertRaises(ConfigError, load, path)))
