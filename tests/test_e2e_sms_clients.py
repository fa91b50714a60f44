"""What the bridges send and check, beside what the providers' own Python clients do with the same."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwt
from joserfc.jwk import RSAKey
from twisted.web.resource import Resource
from twisted.web.server import Request

from bridges.sms.twilio import Twilio, TwilioSettings
from bridges.sms.twilio_reports import STATES as TWILIO_STATES
from bridges.sms.vonage import Vonage, VonageSettings
from bridges.sms.vonage_reports import STATES as VONAGE_STATES
from safeum_home.ports.sms import SmsProvider
from tests.doubles.sms import TwilioDouble, VonageDouble
from tests.e2e.registries import pypi
from tests.sms_case import NUMBER, URL, SmsCase
from tests.test_bridges_twilio import FORM
from tests.test_bridges_vonage import UUID, pem

TEXT = "Код 123456: é € & a=b+c %20 🙂"
PAST = 1_700_000_000
"""Seconds since 1970: their library goes by the machine's clock, and takes nothing from its future."""
_RECORD = """
import json, sys
import requests
def text(value):
    return value.decode() if isinstance(value, bytes) else value
def record(session, request, **_):
    headers = {name: text(value) for name, value in request.headers.items()}
    print(json.dumps([request.method, request.url, headers, text(request.body)]))
    sys.exit()
requests.Session.send = record
a = json.load(sys.stdin)
"""
_TWILIO = f"""{_RECORD}
from twilio.rest import Client
client = Client(a["account"], a["key"])
client.messages.create(to=a["to"], from_=a["sender"], body=a["text"], status_callback=a["url"])
"""
_TWILIO_SIGN = """
import json, sys
from twilio.request_validator import RequestValidator
a = json.load(sys.stdin)
print(json.dumps(RequestValidator(a["key"]).compute_signature(a["url"], a["fields"], a["algorithm"])))
"""
_VONAGE = f"""{_RECORD}
from vonage_http_client import Auth, HttpClient
from vonage_messages import Messages, Sms
client = HttpClient(Auth(**a["auth"]))
message = Sms(to=a["to"], from_=a["sender"], text=a["text"], webhook_url=a["url"], webhook_version="v1")
Messages(client).send(message)
"""
_VONAGE_SIGN = """
import json, sys, jwt
from vonage_jwt import verify_signature
a = json.load(sys.stdin)
token = jwt.encode(a["claims"], a["key"], algorithm="HS256")
assert verify_signature(token, a["key"])
print(json.dumps(token))
"""
Recorded = tuple[str, str, dict[str, str], str]


class Recorder(Resource):
    """Keeps the one request that comes."""

    isLeaf = True
    recorded: Recorded

    def render(self, request: Request) -> bytes:
        fields = request.requestHeaders.getAllRawHeaders()
        head = {name.decode().lower(): values[0].decode() for name, values in fields}
        assert request.content is not None
        url = f"https://{head['host']}{request.uri.decode()}"
        self.recorded = (request.method.decode(), url, head, request.content.read().decode())
        request.setResponseCode(500)
        return b""


class ClientCase(SmsCase):
    packages: tuple[str, ...]

    def theirs(self, script: str, **arguments: Any) -> Any:
        """What a script prints that runs with the provider's packages."""
        folder = pypi("-".join(self.packages[0].split("==")), *self.packages)
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", script],
            input=json.dumps(arguments),
            env=os.environ | {"PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1"},
            cwd=Path(folder),
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def official(self, script: str, **arguments: Any) -> Recorded:
        method, url, headers, body = self.theirs(script, **arguments)
        return method, url, {name.lower(): value for name, value in headers.items()}, body

    def ours(self, make: Any) -> Recorded:
        recorder = Recorder()
        provider: SmsProvider = make(recorder)
        self.send(provider, text=TEXT)
        return recorder.recorded


class TwilioTests(ClientCase):
    packages = ("twilio==9.13.0",)

    def provider(self, root: Resource) -> Twilio:
        self.secrets = {"token": TwilioDouble.TOKEN.encode()}
        settings = TwilioSettings(account=TwilioDouble.ACCOUNT, key="secret:token", sender="+15005550006")
        return Twilio(self.context(), settings, self.way(settings.url, root))

    def test_request(self) -> None:
        """The same method, URL, credentials, and form."""
        theirs = self.official(
            _TWILIO,
            account=TwilioDouble.ACCOUNT,
            key=TwilioDouble.TOKEN,
            to=NUMBER,
            sender="+15005550006",
            text=TEXT,
            url=URL,
        )
        ours = self.ours(self.provider)
        self.assertEqual(ours[:2], theirs[:2])
        for name in ("authorization", "content-type", "accept"):
            self.assertEqual(ours[2][name], theirs[2][name])
        self.assertEqual(parse_qs(ours[3], strict_parsing=True), parse_qs(theirs[3], strict_parsing=True))

    def test_signatures(self) -> None:
        """What their validator signs is taken, under each algorithm; with another key it is not."""
        callback = self.provider(Resource()).callback
        fields = {"MessageSid": "SM" + "1" * 32, "To": NUMBER, "Empty": "", "Body": TEXT}
        settings = "X-Twilio-Webhooks-Signature-Settings"
        for number, status in enumerate(TWILIO_STATES):
            fields["MessageStatus"] = status
            for algorithm in ("HMAC_SHA1", "HMAC_SHA256"):
                for key, wanted in ((TwilioDouble.TOKEN, 200), ("f0" * 16, 403)):
                    if number and (algorithm, wanted) != ("HMAC_SHA1", 200):
                        continue
                    signed = self.theirs(_TWILIO_SIGN, url=URL, key=key, fields=fields, algorithm=algorithm)
                    headers = {**FORM, "X-Twilio-Signature": signed}
                    if algorithm != "HMAC_SHA1":
                        headers[settings] = f"key=webhooks_sharedkey_1,algorithm={algorithm}"
                    body = urlencode(fields).encode()
                    self.assertEqual(self.call(callback, "POST", "/v1/sms/main", headers, body)[0], wanted)
        self.assertEqual(len(self.reports.made), len(TWILIO_STATES) + 1)


class VonageTests(ClientCase):
    packages = ("vonage-messages==1.8.1", "vonage-http-client", "vonage-jwt==1.1.5")

    def setUp(self) -> None:
        super().setUp()
        self.clock.rightNow = PAST
        self.key = pem(rsa.generate_private_key(65537, 2048))
        self.secrets = {"signature": b"the signature secret of an account"}

    def provider(self, root: Resource, **who: Any) -> Vonage:
        who |= {"key": "secret:key", "sender": "447700900001", "signature": "secret:signature"}
        settings = VonageSettings(**who)
        return Vonage(self.context(), settings, self.way(settings.url, root))

    def both(self, auth: dict[str, str], **who: Any) -> tuple[Recorded, Recorded]:
        theirs = self.official(_VONAGE, auth=auth, to=NUMBER[1:], sender="447700900001", text=TEXT, url=URL)
        ours = self.ours(lambda root: self.provider(root, **who))
        self.assertEqual(ours[:2], theirs[:2])
        self.assertEqual(json.loads(ours[3]), json.loads(theirs[3]))
        for name in ("content-type", "accept"):
            self.assertEqual(ours[2][name], theirs[2][name])
        return ours, theirs

    def test_account(self) -> None:
        """The same request with an account's secret."""
        self.secrets["key"] = VonageDouble.SECRET.encode()
        auth = {"api_key": VonageDouble.ACCOUNT, "api_secret": VonageDouble.SECRET}
        ours, theirs = self.both(auth, account=VonageDouble.ACCOUNT)
        self.assertEqual(ours[2]["authorization"], theirs[2]["authorization"])

    def test_application(self) -> None:
        """The same request with an application's token, of the same shape and life."""
        self.secrets["key"] = self.key
        auth = {"application_id": VonageDouble.APPLICATION, "private_key": self.key.decode()}
        ours, theirs = self.both(auth, application=VonageDouble.APPLICATION)
        shapes = [self.token(one[2]["authorization"]) for one in (ours, theirs)]
        self.assertEqual(*shapes)

    def token(self, authorization: str) -> Any:
        scheme, token = authorization.split(" ")
        found = jwt.decode(token, RSAKey.import_key(self.key), ["RS256"])
        claims = found.claims
        return scheme, found.header, sorted(claims), claims["application_id"], claims["exp"] - claims["iat"]

    def test_signatures(self) -> None:
        """A token that another library signed, and theirs verifies, is taken."""
        self.secrets["key"] = b"unused"
        callback = self.provider(Resource(), account=VonageDouble.ACCOUNT).callback
        for status in VONAGE_STATES:
            body = json.dumps({"message_uuid": UUID, "status": status}).encode()
            claims = {"iat": PAST - 5, "jti": "1", "iss": "Vonage", "api_key": VonageDouble.ACCOUNT}
            claims["payload_hash"] = hashlib.sha256(body).hexdigest()
            token = self.theirs(_VONAGE_SIGN, claims=claims, key=self.secrets["signature"].decode())
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            self.assertEqual(self.call(callback, "POST", "/v1/sms/main", headers, body)[0], 200)
        self.assertEqual([state for _, _, state in self.reports.made], list(VONAGE_STATES.values()))
