/** What is in a vault, and what becomes of two that were written at the same time. */

import * as memories from "./chat_memory.js";
import * as c from "./checks.js";
import { NONE } from "./envelope.js";
import { IN_VAULT } from "./epochs.js";
import { utf8 } from "./octets.js";
import * as own from "./own_memory.js";
import { MOST_FORMER, Trust } from "./people.js";
import { PublicKeys } from "./public_keys.js";
import { PER_ACCOUNT } from "./streams.js";

export const MOST_SETTINGS = 512;

const chat = (value) => c.named(value, c.CHAT);

function keys(value) {
  const { sign, box } = c.anObject(value);
  return { sign: c.aHash(sign), box: c.aHash(box) };
}

function pinned(value) {
  const { keys: inForce, trust, since, judged = 0, offered, former = [] } = c.anObject(value);
  return {
    keys: keys(inForce),
    trust: c.oneOf(trust, Object.values(Trust)),
    since: c.anInteger(since),
    judged: c.anInteger(judged),
    offered: c.optional(offered, keys),
    former: c.aList(former, keys, 0, MOST_FORMER),
  };
}

function draft(value) {
  const { at, text, reply } = c.anObject(value);
  return { at: c.anInteger(at), text: c.aText(text, { most: 4096 }), reply: c.optional(reply, c.aHash) };
}

function setting(value) {
  const { at, value: inner } = c.anObject(value);
  if (typeof inner === "string") c.aText(inner, { most: 1024 });
  else if (typeof inner !== "boolean" && inner !== null) c.anInteger(inner, -(2 ** 53) + 1);
  return { at: c.anInteger(at), value: inner };
}

/** The content of a vault, as it is used here; throws `Refused`. */
export function check(value) {
  const { previous, people = {}, drafts = {}, settings = {}, chats = {}, own: ofOwner = {} } = c.anObject(value);
  return {
    previous: c.aHash(previous),
    people: c.entries(people, c.account, pinned, 20000),
    drafts: c.entries(drafts, chat, draft, 10000),
    settings: c.entries(settings, (name) => c.aText(name, { most: 64 }), setting, MOST_SETTINGS),
    chats: c.entries(chats, chat, memories.check, 10000),
    own: own.check(ofOwner),
  };
}

/** An empty one, that follows on `previous`. */
export function empty(previous = NONE) {
  return check({ previous });
}

/** Those of whom keys are known, for the vault. */
export function pin(people) {
  return Object.fromEntries([...people.people].map(([account, person]) => [account, {
    keys: person.keys.texts(),
    trust: person.trust,
    since: person.since,
    judged: person.judged || undefined,
    offered: person.offered?.texts(),
    former: person.former.map((each) => each.texts()),
  }]));
}

/** Those that a vault has: in place of what was known, so merge before. */
export function restore(people, content) {
  for (const [account, each] of Object.entries(content.people)) {
    people.restore(account, {
      keys: PublicKeys.read(each.keys),
      trust: each.trust,
      since: each.since,
      judged: each.judged,
      offered: each.offered ? PublicKeys.read(each.offered) : null,
      former: each.former.map((one) => PublicKeys.read(one)),
    });
  }
}

/** Of two that follow on the same vault: the same, whichever is which; `previous` is of `other`. */
export function merge(one, other) {
  return {
    previous: other.previous,
    people: both(one.people, other.people, mergePinned),
    drafts: both(one.drafts, other.drafts, (a, b) => later(a, b, (each) => [each.at, ordered(each.text), each.reply ?? ""])),
    settings: both(one.settings, other.settings, (a, b) => later(a, b, (each) => [each.at, ...rank(each.value)])),
    chats: both(one.chats, other.chats, mergeChats),
    own: own.merge(one.own, other.own),
  };
}

/** A text by which others are put in the order of their characters, and not of the halves of some. */
function ordered(text) {
  return Array.from(utf8(text), (octet) => octet.toString(16).padStart(2, "0")).join("");
}

/** Of what was set at the same time: the same everywhere, and no deletion. */
function rank(value) {
  if (typeof value === "string") return [3, 0, ordered(value)];
  return value === null ? [0, 0, ""] : [typeof value === "boolean" ? 1 : 2, Number(value), ""];
}

function both(one, other, merged) {
  const shared = Object.keys(one).filter((key) => Object.hasOwn(other, key));
  return { ...one, ...other, ...Object.fromEntries(shared.map((key) => [key, merged(one[key], other[key])])) };
}

/** The one of two with the greater list of keys; each is a number or a text. */
function later(one, other, keysOf) {
  const [a, b] = [keysOf(one), keysOf(other)];
  const at = a.findIndex((each, place) => each !== b[place]);
  return at === -1 || a[at] > b[at] ? one : other;
}

const same = (one, other) => one.sign === other.sign && one.box === other.box;
const holds = (list, key) => list.some((each) => same(each, key));
const age = (each) => [Math.max(each.since, each.judged), each.trust === Trust.VERIFIED ? 0 : 1, each.keys.sign, each.keys.box, each.trust];

/** Of two with keys of which neither follows on the other: the one that nobody's word speaks for. */
function seenFirst(one, other) {
  const unjudged = [one, other].filter((each) => each.trust === Trust.PINNED && !each.judged && !each.former.length);
  return unjudged.length > 1 ? later(one, other, age) : unjudged[0];
}

function mergePinned(one, other) {
  let newer = later(one, other, age);
  if (!same(one.keys, other.keys)) {
    const [before, after] = [holds(one.former, other.keys), holds(other.former, one.keys)];
    if (before !== after) newer = before ? one : other;
    const givenWay = before || after ? undefined : seenFirst(one, other);
    if (givenWay) {
      const stays = givenWay === one ? other : one;
      return stays.offered ? stays : { ...stays, offered: givenWay.keys };
    }
  }
  const older = newer === one ? other : one;
  const replaced = same(older.keys, newer.keys) ? [] : [older.keys];
  const before = [...older.former, ...replaced, ...newer.former].filter((each) => !same(each, newer.keys));
  const former = [];
  for (const each of before.reverse()) if (!holds(former, each)) former.push(each);
  const kept = former.slice(0, MOST_FORMER);
  let offered = newer.offered ?? older.offered;
  if (offered && holds([newer.keys, ...kept], offered)) offered = undefined;
  return { keys: newer.keys, trust: newer.trust, since: newer.since, judged: newer.judged, offered, former: kept.reverse() };
}

function mergeChats(one, other) {
  const epochs = new Map([...one.epochs, ...other.epochs].map((each) => [each.id, each]));
  const newest = [...epochs.values()].sort((a, b) => (a.at - b.at) || (a.id < b.id ? -1 : 1)).slice(-IN_VAULT);
  const roster = later(one, other, (each) => [each.roster_at, each.roster]);
  return {
    streams: both(one.streams, other.streams, mergeStreams),
    roster: roster.roster,
    roster_at: roster.roster_at,
    members: roster.members,
    epochs: newest,
    since: Math.max(one.since, other.since),
    former: roster.former,
    successions: both(one.successions, other.successions, (mine, theirs) => memories.inARow([...mine, ...theirs])),
    peer: [one.peer, other.peer].filter(Boolean).sort().at(-1) ?? null,
  };
}

function mergeStreams(one, other) {
  const heads = both(one.heads, other.heads, (a, b) => later(a, b, (pair) => pair));
  return memories.newestStreams({ floor: Math.max(one.floor, other.floor), heads }, PER_ACCOUNT);
}
