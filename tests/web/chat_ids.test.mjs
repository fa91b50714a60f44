/** The id of a chat says whether it is secure, whatever a node says. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { part, secure } from "./libsodium.mjs";

const { directChatId, groupId } = await part("chat_ids");
const { isKind, mayBeOpen } = secure;
const HUB = "hub.example";
const KINDS = { "": {}, "secure.": { secure: true }, "pair.": { secure: true, pair: true } };
const account = (letter) => `@${letter.repeat(26)}:n.example`;

test("vectors", async () => {
  const { ids } = JSON.parse(await readFile(new URL("../../docs/secure-chats-vectors.json", import.meta.url)));
  for (const { chat, ...group } of ids.groups) {
    for (const each of ids.groups) assert.equal(isKind(each.chat, { hub: ids.hub, ...group }), each.chat === chat);
  }
  assert.equal(directChatId(...ids.direct.accounts), ids.direct.chat);
});

test("groups are what their seed says, and nothing else", () => {
  for (const begins of Object.keys(KINDS)) {
    const seed = `${begins}abc`;
    const chat = groupId(HUB, seed);
    for (const [other, said] of Object.entries(KINDS)) {
      assert.equal(isKind(chat, { hub: HUB, seed, ...said }), begins === other, `${begins} as ${other}`);
      assert.ok(!isKind(chat, { hub: HUB, seed: `${other}abd`, ...said }), "another seed");
      assert.ok(!isKind(chat, { hub: "other.example", seed, ...said }), "another hub");
      const isOpen = mayBeOpen({ chat, kind: "group", group: { hub: HUB, seed, ...said } }, account("a"));
      assert.equal(isOpen, begins === "" && other === "");
    }
    for (const wrong of [undefined, null, 1, {}]) assert.ok(!isKind(chat, { hub: HUB, seed: wrong }));
  }
});

test("direct chats are of the two, and of nobody else", () => {
  const [own, peer] = [account("a"), account("b")];
  const chat = directChatId(own, peer);
  assert.equal(chat, directChatId(peer, own));
  assert.ok(mayBeOpen({ chat, kind: "direct", peer }, own));
  assert.ok(!mayBeOpen({ chat, kind: "direct", peer: account("c") }, own));
  assert.ok(!mayBeOpen({ chat: groupId(HUB, "pair.abc"), kind: "direct", peer }, own));
  assert.ok(mayBeOpen({ chat, kind: "self", peer: own }, own));
  assert.ok(!mayBeOpen({ chat, kind: "channel", peer }, own));
});
