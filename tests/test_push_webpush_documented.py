"""docs/push.md says of Web Push what the code does, and its examples run."""

import json
import re
import subprocess
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from msgspec import convert

from bridges.push.origins import AT_A_STRANGER, AT_ONE, AT_STRANGERS, FAILURES, SECONDS, SLOW
from bridges.push.room import AT_ONE_SERVICE, FOR_CALLS
from bridges.push.template import PAYLOADS
from bridges.push.webpush import WebPushSettings, webpush
from safeum_home.config import parse
from safeum_home.ports.push import PushAddress, Temporary, Wake
from safeum_home.protocol.commands.push import PushSet
from tests.doubles.webpush import Subscriber, base64url, from_base64url
from tests.e2e.registries import node
from tests.test_push_webpush import STATUSES
from tests.webpush_case import CONTACT, ENDPOINT, WebPushCase

PAGE = (Path(__file__).parent.parent / "docs" / "push.md").read_text()
SECTION = PAGE.partition("### webpush\n")[2].partition("\n## ")[0].partition("\n### ")[0]

BROWSER = """
const [offered, subscription, payload] = JSON.parse(require("fs").readFileSync(0, "utf8"));
const asked = [], shown = [], handlers = {};
let stale = subscription.stale;
const pushManager = {
  async getSubscription() { return { async unsubscribe() { stale = false; } }; },
  async subscribe(options) {
    asked.push(["subscribe", options]);
    if (stale) throw new Error("InvalidStateError");
    return { toJSON: () => subscription };
  },
};
const self = {
  addEventListener: (name, handler) => { handlers[name] = handler; },
  registration: { showNotification: async (title, options) => { shown.push([title, options]); } },
};
async function ask(method, params) {
  asked.push([method, params]);
  return method === "push.providers" ? { providers: offered } : {};
}
PAGE_OF_THE_DOCUMENT
(async () => {
  const registered = await register(ask, { pushManager });
  const waits = [];
  for (const text of payload) {
    handlers.push({ data: { json: () => JSON.parse(text) }, waitUntil: (each) => waits.push(each) });
  }
  await Promise.all(waits);
  console.log(JSON.stringify({ registered, asked, shown }));
})();
"""


class DocumentTests(WebPushCase):
    def test_example(self) -> None:
        """The settings make a provider."""
        text = SECTION.partition("```toml\n")[2].partition("```")[0]
        section = parse('[node]\nname = "node.example"\nstate_dir = "/nowhere"\n' + text).push
        (provider,) = section.providers
        self.assertEqual((provider.name, provider.kind), ("web", "webpush"))
        check: Any = webpush.check  # type: ignore[attr-defined]
        check(provider.name, provider.settings)
        self.assertEqual(tomllib.loads(text)["push"]["providers"][0]["settings"], provider.settings)

    def test_settings(self) -> None:
        """The table has every setting, and no other."""
        documented = re.findall(r"^\| `(\w+)` \|", SECTION, re.M)
        self.assertEqual(set(documented), set(WebPushSettings.__struct_fields__))
        self.assertEqual(len(documented), len(set(documented)))

    def test_statuses(self) -> None:
        """Each status that has a meaning of its own stands in the row of that meaning."""
        rows = SECTION.partition("| answer | outcome |\n")[2].partition("\n\n")[0].splitlines()[1:]
        kinds = {"Accepted": 0, "Gone": 1, "Temporary": 2, "Refused": 4}
        for status, outcome in STATUSES.items():
            key = status in (401, 403)
            row = rows[3 if key else kinds[type(outcome).__name__]]
            named = str(status) in row or f"{status // 100}xx" in row
            self.assertTrue(named, f"{status} is not in: {row}")
        for status in map(int, re.findall(r"\b[45]\d\d\b", rows[2])):
            self.assertIsInstance(STATUSES[status], Temporary)

    def test_numbers(self) -> None:
        """Those of the text are those of the code."""
        text = " ".join(SECTION.split())
        for words, number in (
            ("does not answer five times in a row", FAILURES == 5),
            ("for 15 seconds at first and four minutes at the most", (SECONDS, 16 * SECONDS) == (15, 240)),
            ("To one that is new four wakes", AT_A_STRANGER == 4),
            ("takes within two seconds", SLOW == 2),
            ("a quarter of `concurrency` and 192", (AT_ONE_SERVICE, AT_ONE) == (4, 192)),
            ("not taken several, 128 are", AT_STRANGERS == 128),
            ("an eighth of `concurrency`", FOR_CALLS == 8),
            ("for the eight seconds", WebPushSettings(contact=CONTACT).seconds == 8),
        ):
            self.assertIn(words, text)
            self.assertTrue(number, words)


class ClientTests(WebPushCase):
    def run_example(self, *offered: dict[str, str], **subscription: Any) -> dict[str, Any]:
        """What the page's client does, in a browser that is as much of one as it needs."""
        code = "\n".join(re.findall(r"```js\n(.*?)```", SECTION, re.S))
        payloads = [payload.decode() for payload in PAYLOADS.values()]
        with tempfile.TemporaryDirectory() as folder:
            script = Path(folder) / "client.js"
            script.write_text(BROWSER.replace("PAGE_OF_THE_DOCUMENT", code))
            said = json.dumps([offered, subscription, payloads])
            done = subprocess.run([node(), script], input=said, capture_output=True, text=True, check=False)
        self.assertEqual(done.stderr, "")
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def test_registers(self) -> None:
        """What it sends is a command, and an address that wakes it."""
        key = self.provider.application_key or ""
        subscriber = Subscriber()
        keys = {"p256dh": base64url(subscriber.public), "auth": base64url(subscriber.secret)}
        for stale in (False, True):
            found = self.run_example(
                {"name": "phones", "kind": "apns"},
                {"name": "web", "kind": "webpush", "application_key": key},
                endpoint=ENDPOINT,
                expirationTime=None,
                keys=keys,
                stale=stale,
            )
            self.assertTrue(found["registered"])
            options = ["subscribe", {"userVisibleOnly": True, "applicationServerKey": key}]
            self.assertEqual(found["asked"][1:-1], [options] * (1 + stale))
            method, params = found["asked"][-1]
            sent = convert(params, PushSet)
            self.assertEqual((method, sent.provider), ("push.set", "web"))
            assert sent.keys is not None
            public, secret = from_base64url(sent.keys.p256dh), from_base64url(sent.keys.auth)
            address = PushAddress(sent.token, key=public, secret=secret)
            self.provider.check(address)
            self.wake(wake=Wake.CALL, address=address)
            self.assertEqual(subscriber.open(self.service.taken[-1][1]), PAYLOADS[Wake.CALL])

    def test_shows(self) -> None:
        """A notification for each class, which a newer one of the class replaces."""
        shown = self.run_example()["shown"]
        self.assertEqual(shown, [["Something new", {"tag": "msg"}], ["Somebody calls", {"tag": "call"}]])

    def test_not_offered(self) -> None:
        """A node without Web Push is asked for nothing."""
        found = self.run_example({"name": "phones", "kind": "apns"})
        self.assertEqual((found["registered"], found["asked"]), (False, [["push.providers", {}]]))
