/** What is not as it should be is refused in JavaScript, too. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { part, secure, sodium, zxcvbn } from "./libsodium.mjs";

const envelopes = await part("envelope");
const { decode, encode, fromUtf8, utf8 } = await part("octets");
const { octetsOf } = await part("passphrase");
const payloads = await part("payloads");

const CHAT = `!${"e".repeat(26)}`;
const NOW = 1_800_000_000_000;
const account = (letter) => `@${letter.repeat(26)}:n.example`;
const HASH = "A".repeat(43);

function program(letter, peer, chat = CHAT) {
  const own = new secure.UniqueKey(account(letter), new Uint8Array(32).fill(letter.charCodeAt(0)));
  const people = new secure.People();
  const one = { own, people, now: NOW };
  one.chat = new secure.SecureChat({ chat, own, people, peer: peer && account(peer), now: () => one.now });
  return one;
}

function pair() {
  const [alice, bob] = [program("a", "b"), program("b", "a")];
  alice.people.told(account("b"), bob.own.public, NOW);
  bob.people.told(account("a"), alice.own.public, NOW);
  return [alice, bob];
}

function told(sender, step, prefix = "m") {
  return step.posts.map(({ data, quiet }, at) => ({ sender: sender.own.account, id: `${prefix}${at}`, data, quiet }));
}

const reasons = (step) => step.events.map((each) => each.reason ?? each.is);
const text = (words) => ({ kind: "text", text: words });

test("any bit that is flipped", () => {
  const [alice, bob] = pair();
  for (const envelope of told(alice, alice.chat.say(text("Hello"), "r"))) {
    const octets = decode(envelope.data);
    for (let place = 0; place < 8 * octets.length; place += 1) {
      const flipped = octets.slice();
      flipped[place >> 3] ^= 1 << (place & 7);
      const { events, posts } = bob.chat.take({ ...envelope, data: encode(flipped) });
      assert.deepEqual([events.length, events[0].is, posts.length], [1, "refusal", 0], `bit ${place}`);
    }
    assert.ok(!reasons(bob.chat.take(envelope)).includes("bad_signature"));
  }
});

test("another chat, sender, loudness, or text for the same octets", () => {
  const [alice, bob] = pair();
  const elsewhere = program("b", "a", `!${"f".repeat(26)}`);
  elsewhere.people.told(account("a"), alice.own.public, NOW);
  const [, message] = told(alice, alice.chat.say(text("Hello"), "r"));
  assert.deepEqual(reasons(elsewhere.chat.take(message)), ["bad_signature"]);
  for (const wrong of [
    { sender: account("b") }, { quiet: true }, { data: `${message.data}=` }, { data: "" }, { data: null },
    { data: message.data.slice(0, -1) + (message.data.endsWith("A") ? "B" : "A") },
  ]) {
    assert.equal(bob.chat.take({ ...message, ...wrong }).events[0].is, "refusal");
  }
});

test("replays, gaps and forks", () => {
  const [alice, bob] = pair();
  const first = told(alice, alice.chat.say(text("One"), "r"));
  first.forEach((each) => bob.chat.take(each));
  assert.deepEqual(reasons(bob.chat.take({ ...first[1], id: "again" })), ["replayed"]);
  assert.deepEqual(reasons(bob.chat.take(first[1])), []);
  const lost = told(alice, alice.chat.say(text("Two"), "r"));
  const third = told(alice, alice.chat.say(text("Three"), "r"), "x");
  assert.deepEqual(reasons(bob.chat.take(third[0])), ["gap", "received"]);
  assert.equal(bob.chat.take({ ...lost[0], id: "late" }).events[0].late, true);
});

test("swapped keys", () => {
  const [alice, bob] = pair();
  const fake = new secure.UniqueKey(account("b"), new Uint8Array(32).fill(9));
  const step = alice.chat.keysTold(account("b"), fake.public);
  assert.deepEqual(step.events.map(({ is, vouched }) => [is, vouched]), [["keys_changed", false]]);
  assert.deepEqual(reasons(alice.chat.say(text("Secret"), "r")), ["keys_differ", "waiting"]);
  assert.ok(alice.people.accept(account("b"), fake.hash, NOW));
  assert.equal(alice.chat.lookAgain().posts.length, 2);
  assert.equal(bob.people.trust(account("a")), "pinned");
});

test("a ghost", () => {
  const [alice, bob, mallory] = [program("a"), program("b"), program("c")];
  for (const one of [alice, bob, mallory]) {
    for (const other of [alice, bob, mallory]) if (one !== other) one.people.told(other.own.account, other.own.public, NOW);
  }
  for (const each of told(alice, alice.chat.admit([account("b")]))) {
    for (const one of [alice, bob]) assert.deepEqual(reasons(one.chat.take(each)), ["roster_changed"]);
  }
  const strange = bob.chat.membersTold([account("a"), account("b"), account("c")]);
  assert.deepEqual(strange.events, [{ is: "not_vouched", accounts: [account("c")] }]);
  const [roster] = told(mallory, mallory.chat.admit([account("a"), account("b")]));
  assert.deepEqual(reasons(bob.chat.take(roster)), ["not_a_member"]);
  assert.deepEqual([...bob.chat.members.keys()].sort(), [account("a"), account("b")]);
});

test("vaults that are rolled back", () => {
  const { own } = program("a");
  const vault = new secure.Vault(own);
  const first = vault.put(secure.empty());
  vault.take(first.n, first.blob);
  const second = vault.put(secure.empty(vault.previous));
  vault.take(second.n, second.blob);
  assert.throws(() => vault.take(first.n, first.blob), { reason: "rolled_back" });
  assert.throws(() => vault.none(), { reason: "rolled_back" });
});

test("payloads", () => {
  const bad = [
    {}, [], null, { kind: "text" }, { kind: "text", text: "" }, { kind: "text", text: "x".repeat(8193) },
    { kind: "text", text: 1 }, { kind: "text", text: "x", mentions: ["@b"] }, { kind: "reaction", message: "x" },
    { kind: "deletion", messages: [] }, { kind: "edit", message: `${HASH}A`, text: "x" },
    { kind: "file", file: "F", key: HASH, hash: HASH, size: -1, name: "..", type: "x" },
    { kind: "compare.done", compare: "A".repeat(22), same: 1 }, { kind: "text", text: "\ud800" },
  ];
  for (const each of bad) assert.throws(() => payloads.decode(utf8(JSON.stringify(each))), { reason: "malformed" });
  for (const octets of [Uint8Array.of(0xff), utf8("{"), utf8(`{"kind":"text","text":"x"}x`), new Uint8Array(0)]) {
    assert.throws(() => payloads.decode(octets), { reason: "malformed" });
  }
  assert.deepEqual(payloads.decode(utf8(`{"kind":"poll","text":"Which?"}`)), { unknown: "poll", text: "Which?" });
  assert.throws(() => payloads.encode({ kind: "__proto__" }), { reason: "malformed" });
  assert.equal(fromUtf8(payloads.encode(text("\u2028"))), `{"kind":"text","text":"\u2028"}`);
});

test("members that stand twice", () => {
  for (const twice of [
    `{"kind":"text","text":"a","text":"b"}`, `{"kind":"text","text":"a","\\u0074ext":"b"}`,
    `{"kind":"text","text":"a","more":[{"x":1,"x":1}]}`, `{"kind":"poll","text":"a","text":"b"}`,
  ]) assert.throws(() => payloads.decode(utf8(twice)), { reason: "malformed" });
  const once = `{"kind":"text","text":"a:\\"b\\":{","more":[{"x":1},{"x":1}]}`;
  assert.equal(payloads.decode(utf8(once)).text, 'a:"b":{');
});

test("base64url has one form", () => {
  for (const wrong of ["A", "AB=", "AB", "A+", "A A", "AAB"]) assert.throws(() => decode(wrong), { reason: "malformed" });
  for (const size of [0, 1, 2, 3, 100]) {
    const octets = crypto.getRandomValues(new Uint8Array(size));
    assert.equal(encode(octets), Buffer.from(octets).toString("base64url"));
    assert.deepEqual(decode(encode(octets)), octets);
  }
});

test("passphrases", () => {
  for (const weak of ["", "password", "Passw0rd!", "qwertyuiop", "aaaaaaaaaaaaaaaaaaaa"]) {
    assert.throws(() => octetsOf(weak, zxcvbn), { reason: "weak_passphrase" });
  }
  for (const count of [12, 15, 18, 21, 24]) {
    const made = secure.words(count);
    assert.equal(made.split(" ").length, count);
    assert.ok(secure.areWords(made));
  }
  assert.ok(!secure.areWords("legal winner thank year wave sausage worth useful legal winner thank thank"));
  const forms = ["Zwölf Boxkämpfer jagen Viktor", "  Zwo\u0308lf\tBoxka\u0308mpfer  jagen\u3000Viktor\n"];
  const [one, other] = forms.map((each) => octetsOf(each, zxcvbn));
  assert.deepEqual(one, other);
});

test("a passphrase that is thought weak, of an account that has it", (t) => {
  t.mock.method(sodium, "crypto_pwhash", () => new Uint8Array(32).fill(7)); // which takes seconds
  const estimated = (guesses) => () => ({ guesses_log10: guesses, score: 0, feedback: {} });
  const [own, weak] = [account("a"), "summer 1987 london"];
  const of = (guesses, known) => secure.UniqueKey.of(own, weak, estimated(guesses), known);
  const taken = of(13);
  assert.equal(of(11, taken.hash).hash, taken.hash);
  for (const known of [undefined, null, HASH]) assert.throws(() => of(11, known), { reason: "weak_passphrase" });
  assert.equal(of(13, HASH).hash, taken.hash);
});

test("an envelope that is too long", () => {
  assert.throws(() => envelopes.read("A".repeat(100_000)), { reason: "malformed" });
});
