"""docs/secure-chats.md, "In a page": two of these programs talk."""

import json
import re
import subprocess
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.e2e.registries import node, npm
from tests.secure_javascript import PACKAGES

ROOT = Path(__file__).parent.parent
TALK = """
import { open } from "./page.mjs";

const [ADA, BEN] = ["a", "b"].map((letter) => `@${letter.repeat(26)}:n.example`);
const CHAT = `!${"e".repeat(26)}`;
const [log, seen] = [[], []];

function begin(account, passphrase, peer) {
  const post = (body) => log.push([account, body]);
  const show = (event) => seen.push([account[1], event.is, event.payload?.text]);
  return open(account, passphrase, CHAT, peer, post, show);
}

const ada = begin(ADA, "seven purple herons drank the tea", BEN);
const ben = begin(BEN, "my dog ate four loud trumpets", ADA);
function deliver() {
  for (const [at, [sender, body]] of log.splice(0).entries()) {
    for (const each of [ada, ben]) each.came(sender, `${seen.length}-${at}`, body);
  }
}
ada.say("too early");
ada.found(ben.identity);
ben.found(ada.identity);
deliver();
ben.say("hello");
deliver();
console.log(JSON.stringify({ seen, numbers: [ada.number(), ben.number()] }));
ada.close();
ben.close();
"""


class PageTests(SynchronousTestCase):
    def test_two_talk(self) -> None:
        """What was said before the keys came waits for them; both see the same number."""
        text = (ROOT / "docs" / "secure-chats.md").read_text()
        [page] = re.findall(r"^```js\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
        self.assertIn(f"npm install {' '.join(PACKAGES)}\n", text)
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "node_modules").symlink_to(npm("secure", *PACKAGES))
        (folder / "secure").symlink_to(ROOT / "safeum_home" / "web" / "secure")
        (folder / "page.mjs").write_text(page)
        (folder / "talk.mjs").write_text(TALK)
        done = subprocess.run([node(), str(folder / "talk.mjs")], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        told = json.loads(done.stdout)
        self.assertEqual(
            told["seen"],
            [
                ["a", "keys_needed", None],
                ["a", "waiting", None],
                ["b", "received", "too early"],
                ["a", "received", "hello"],
            ],
        )
        ada, ben = told["numbers"]
        self.assertEqual(ada, ben)
        self.assertEqual(len(ada.split()), 12)
