/** What the id of a chat says of it: so a node cannot show a secure chat as another one. */

import { utf8 } from "./octets.js";
import { digest } from "./sodium.js";

/** Kinds of chats with the account's own node, or with itself. */
const OTHERS = new Set(["system", "support", "self", "voicemail"]);
const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

/** base32 in lower case, without padding (RFC 4648, section 6). */
function base32(octets) {
  let [text, bits, held] = ["", 0, 0];
  for (const octet of octets) {
    [bits, held] = [((bits << 8) | octet) & 0xfff, held + 8];
    for (; held >= 5; held -= 5) text += ALPHABET[(bits >> (held - 5)) & 31];
  }
  return held ? text + ALPHABET[(bits << (5 - held)) & 31] : text;
}

function named(what, person) {
  return `!${base32(digest(utf8(what), person, 16))}`;
}

/** The id of a group that `hub` orders, and that it has made of a seed. */
export function groupId(hub, seed) {
  return named(`${hub}\n${seed}`, "safeum group v1");
}

/** The id of the direct chat of two accounts. */
export function directChatId(one, other) {
  return named([one, other].sort().join("\n"), "safeum chat v1");
}

/** Whether this is the id of a group, `{hub, seed, secure, pair}`, that is as secure as the node says: no more and no less. */
export function isKind(chat, { hub, seed, secure, pair }) {
  const begins = pair ? "pair." : secure ? "secure." : "";
  if (typeof hub !== "string" || typeof seed !== "string" || groupId(hub, seed) !== chat) return false;
  return seed.slice(0, seed.lastIndexOf(".") + 1) === begins;
}

/** Whether a chat, `{chat, kind, group, peer}`, can be what the node says to account `own`, and is in clear. */
export function mayBeOpen({ chat, kind, group, peer }, own) {
  if (kind === "group") return Boolean(group) && !group.secure && isKind(chat, group);
  if (kind === "direct") return directChatId(own, peer) === chat;
  return OTHERS.has(kind);
}
