/** Whatever comes from outside is refused, and nothing else is thrown. */

import assert from "node:assert/strict";
import { test } from "node:test";

import * as envelopes from "../../safeum_home/web/secure/envelope.js";
import * as epochs from "../../safeum_home/web/secure/epoch.js";
import * as messages from "../../safeum_home/web/secure/message.js";
import { encode, utf8 } from "../../safeum_home/web/secure/octets.js";
import * as payloads from "../../safeum_home/web/secure/payloads.js";
import * as rosters from "../../safeum_home/web/secure/roster.js";
import { parse } from "../../safeum_home/web/secure/strict_json.js";
import * as succession from "../../safeum_home/web/secure/succession.js";
import * as contents from "../../safeum_home/web/secure/vault_content.js";
import { secure } from "./libsodium.mjs";

const ACCOUNT = `@${"a".repeat(26)}:n.example`;
const random = (most) => Math.floor(Math.random() * most);
const octets = (most) => crypto.getRandomValues(new Uint8Array(random(most)));
const KINDS = ["text", "edit", "reaction", "deletion", "file", "compare.start", "compare.answer", "compare.done"];
const NAMES = ["text", "mentions", "reply", "message", "messages", "emoji", "file", "key", "hash", "size", "name", "voice", "line", "told", "lost"];
const VAULT = ["previous", "people", "drafts", "settings", "chats", "own"];

function value(depth = 0) {
  const made = [null, true, random(1e9), -0.5, "x".repeat(random(50)), "A".repeat(43), "\ud800", ACCOUNT];
  if (depth > 2 || random(3)) return made[random(made.length)];
  return random(2) ? [value(depth + 1), value(depth + 1)] : { [NAMES[random(NAMES.length)]]: value(depth + 1), [ACCOUNT]: value(depth + 1) };
}

function refused(parse) {
  try {
    parse();
  } catch (error) {
    assert.ok(error instanceof secure.Refused, error.stack);
  }
}

test("octets", () => {
  for (let round = 0; round < 2000; round += 1) {
    const whole = { content: octets(500), head: {} };
    for (const read of [epochs.read, messages.read, rosters.read]) refused(() => read(whole));
    refused(() => succession.read(whole, ACCOUNT));
    refused(() => envelopes.read(encode(octets(500))));
    const one = { account: ACCOUNT, hash: envelopes.NONE };
    refused(() => secure.scanned(`safeum:verify:1:${encode(octets(100))}`, one, one));
  }
});

test("JSON", () => {
  for (let round = 0; round < 5000; round += 1) {
    const members = Object.fromEntries([0, 1, 2, 3].map(() => [NAMES[random(NAMES.length)], value()]));
    refused(() => payloads.decode(utf8(JSON.stringify({ ...members, kind: KINDS[random(KINDS.length)] }))));
    refused(() => payloads.decode(utf8(JSON.stringify(value()))));
    const content = Object.fromEntries(VAULT.map((name) => [name, value()]));
    refused(() => contents.check({ ...content, previous: envelopes.NONE }));
    refused(() => contents.check(value()));
    refused(() => parse(utf8(JSON.stringify(value()))));
  }
  for (const deep of ["[".repeat(30000), `{"kind":"x","text":${"[".repeat(30000)}`]) {
    assert.throws(() => payloads.decode(utf8(deep)), { reason: "malformed" });
  }
});
