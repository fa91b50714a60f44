"""UnifiedPush for real: Debian's Prosody is the push service, its client a telephone's distributor."""

import re
import shutil
import subprocess
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.protocol import ClientCreator, Protocol
from twisted.trial.unittest import TestCase

from tests.certificates import Authority
from tests.e2e.kannel import _listens, until
from tests.e2e.needs import apt, missing, tool
from tests.e2e.node_process import _free_port
from tests.e2e.push_services import tls_before

MODULE = Path("/usr/lib/prosody/modules/mod_unified_push/mod_unified_push.lua")
DRAFT = "http://gultsch.de/xmpp/drafts/unified-push"
USER, PASSWORD = "ben", "a-password-of-his"
_CONFIG = """\
run_as_root = true
pidfile = "{folder}/pid"
data_path = "{folder}/data"
modules_enabled = {{ "saslauth", "disco", "http" }}
modules_disabled = {{ "s2s" }}
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {xmpp} }}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_plain"
http_ports = {{ {http} }}
https_ports = {{ }}
http_default_host = "localhost"
http_external_url = "https://{host}:{port}/"
unified_push_backend = "storage"
log = {{ warn = "{folder}/log" }}
VirtualHost "localhost"
modules_enabled = {{ "unified_push" }}
"""


class Prosody:
    """Started on loopback, with one user; `host` is what its certificate is for."""

    def __init__(self, case: TestCase, reactor: Any, authority: Authority, host: str) -> None:
        self._reactor = reactor
        program = tool("prosody")
        if not MODULE.exists() and apt("prosody-modules") is not None:
            missing("prosody-modules is not installed")
        self._xmpp, http = _free_port(), _free_port()
        self.port = tls_before(case, reactor, http, authority.server(host))
        self._http = http
        folder = Path(tempfile.mkdtemp(prefix="prosody-", dir="/tmp"))
        case.addCleanup(shutil.rmtree, folder)
        users = folder / "data" / "localhost" / "accounts"
        users.mkdir(parents=True)
        (users / f"{USER}.dat").write_text(f'return {{ ["password"] = "{PASSWORD}"; }};')
        config = folder / "prosody.cfg.lua"
        config.write_text(
            _CONFIG.format(folder=folder, xmpp=self._xmpp, http=http, host=host, port=self.port)
        )
        quiet = subprocess.DEVNULL
        command = [program, "-F", "--config", str(config)]
        process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet)
        case.addCleanup(process.wait)
        case.addCleanup(process.kill)

    async def distributor(self) -> "Distributor":
        """A telephone that is connected, and registered: it has an endpoint."""
        await until(self._reactor, lambda: _listens(self._xmpp) and _listens(self._http), "Prosody")
        there: Distributor = await ClientCreator(self._reactor, Distributor).connectTCP(
            "127.0.0.1", self._xmpp
        )
        await until(self._reactor, lambda: there.endpoint, "an endpoint")
        return there


class Distributor(Protocol):
    """As much of XMPP (RFC 6120) as it takes; `pushes` are what came."""

    transport: Any

    def __init__(self) -> None:
        self.endpoint = ""
        self.pushes: list[bytes] = []
        self.gone = False
        self._came = ""
        self._then: list[tuple[str, Callable[[re.Match[str]], None]]] = []

    def connectionMade(self) -> None:
        self._open()
        self._when(r"<mechanism>PLAIN</mechanism>", lambda _: self._log_in())

    def dataReceived(self, data: bytes) -> None:
        self._came += data.decode()
        while self._then:
            pattern, then = self._then[0]
            found = re.search(pattern, self._came, re.S)
            if found is None:
                return
            self._came = self._came[found.end() :]
            self._then.pop(0)
            then(found)

    def connectionLost(self, reason: object = None) -> None:
        self.gone = True

    def _when(self, pattern: str, then: Callable[[re.Match[str]], None]) -> None:
        self._then.append((pattern, then))

    def _say(self, text: str) -> None:
        self.transport.write(text.encode())

    def _open(self) -> None:
        names = "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
        self._say(f"<?xml version='1.0'?><stream:stream to='localhost' version='1.0' {names}>")

    def _log_in(self) -> None:
        who = b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()
        self._say(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{who}</auth>")
        self._when(r"<success", lambda _: self._open())
        self._when(r"xmpp-bind", lambda _: self._bind())

    def _bind(self) -> None:
        self._say("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
        self._when(r"<jid>", lambda _: self._register())

    def _register(self) -> None:
        about = " ".join(f"{name}='{b64encode(bytes(32)).decode()}'" for name in ("application", "instance"))
        self._say(f"<iq type='set' id='r' to='localhost'><register xmlns='{DRAFT}' {about}/></iq>")
        self._when(r"<registered [^>]*endpoint='([^']+)'", self._registered)

    def _registered(self, found: re.Match[str]) -> None:
        self.endpoint = found[1]
        self._when(r"<iq [^>]*>\s*<push [^>]*>([^<]+)</push>", self._pushed)

    def _pushed(self, found: re.Match[str]) -> None:
        name = re.search(r" id='([^']+)'", found[0])
        assert name is not None
        self.pushes.append(b64decode(found[1]))
        self._say(f"<iq type='result' id='{name[1]}' to='localhost'/>")
        self._when(r"<iq [^>]*>\s*<push [^>]*>([^<]+)</push>", self._pushed)
