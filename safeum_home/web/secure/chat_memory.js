/** What the vault keeps of a secure chat: how far streams had come, the roster, and epochs to read in. */

import * as c from "./checks.js";
import { began, HASH, NONE, STREAM } from "./envelope.js";
import { SEALED } from "./epoch.js";
import { MOST_MEMBERS } from "./members.js";
import { decode, encode } from "./octets.js";
import { MOST_FORMER } from "./people.js";
import { MOST_KEPT, MOST_SUCCESSORS } from "./roster.js";
import { inOrder } from "./streams.js";

const MOST_CHANGES = 2 * MOST_MEMBERS;

function streams(value) {
  c.anObject(value);
  const head = (pair) => {
    const [number, hash] = c.aList(pair, (each) => each, 2, 2);
    return [c.anInteger(number), whole(hash, c.HASH, HASH)];
  };
  return { floor: c.anInteger(value.floor), heads: c.entries(value.heads, (name) => whole(name, c.STREAM, STREAM), head, 64) };
}

/** A text in base64url that stands for so many octets. */
function whole(value, pattern, size) {
  decode(c.named(value, pattern), size);
  return value;
}

function epoch(value) {
  c.anObject(value);
  return {
    id: whole(value.id, c.HASH, HASH),
    commitment: whole(value.commitment, c.HASH, HASH),
    sealed: whole(value.sealed, c.BOXED, SEALED),
    at: c.anInteger(value.at),
  };
}

function former(value) {
  c.anObject(value);
  const hash = (each) => (each === null ? null : whole(each, c.HASH, HASH));
  return { roster: whole(value.roster, c.HASH, HASH), changes: c.entries(value.changes, c.account, hash, MOST_CHANGES) };
}

/** Keys of an account that have named their followers: hashes of both, the first ones first. */
function successions(value) {
  const pair = (each) => c.aList(each, (hash) => whole(hash, c.HASH, HASH), 2, 2);
  return c.aList(value, pair, 0, MOST_FORMER);
}

/** What a vault has of a chat, as it is used here; throws `Refused`. */
export function check(value) {
  c.anObject(value);
  const hash = (each) => whole(each, c.HASH, HASH);
  return {
    streams: c.entries(value.streams ?? {}, c.account, streams, 4 * MOST_MEMBERS),
    roster: hash(value.roster ?? NONE),
    roster_at: c.anInteger(value.roster_at ?? 0),
    members: c.entries(value.members ?? {}, c.account, hash, MOST_MEMBERS),
    epochs: c.aList(value.epochs ?? [], epoch, 0, 16),
    since: c.anInteger(value.since ?? 0),
    former: c.aList(value.former ?? [], former, 0, MOST_KEPT),
    successions: c.entries(value.successions ?? {}, c.account, successions, MOST_SUCCESSORS),
    peer: c.optional(value.peer, c.account) ?? null,
  };
}

/**
 * Of a chat, as it is now. `unreturned` is the head of the first roster of one's own that has not come back: it is to
 * be taken then, also by who begins anew, and so is what stands behind it.
 */
export function remember(room, unreturned = null) {
  const upTo = ([stream, number, hash]) => (
    stream === unreturned?.stream && number >= unreturned.number
      ? [stream, [unreturned.number - 1, unreturned.previous]] : [stream, [number, hash]]
  );
  const heads = ([account, floor, each]) => (
    [account, { floor, heads: Object.fromEntries(each.map(upTo).filter(([, [number]]) => number)) }]
  );
  return {
    streams: Object.fromEntries(room.streams.heads().map(heads)),
    roster: room.roster.head,
    roster_at: room.roster.made,
    members: Object.fromEntries(room.roster.members),
    epochs: room.epochs.recent().map(({ id, commitment, sealed, at }) => ({ id, commitment, sealed: encode(sealed), at })),
    since: room.now(),
    former: rememberFormer(room),
    successions: rememberSuccessions(room),
    peer: room.peer ?? null,
  };
}

function rememberSuccessions(room) {
  const found = {};
  for (const [account, ...pair] of room.roster.successorsOf()) (found[account] ??= []).push(pair);
  return Object.fromEntries(Object.entries(found).map(([account, pairs]) => [account, inARow(pairs)]));
}

/** Those that began last; none is taken any more that began before these. */
export function newestStreams({ floor, heads }, most) {
  const named = inOrder(Object.keys(heads));
  const gone = named.slice(0, Math.max(0, named.length - most));
  const kept = named.slice(gone.length).map((stream) => [stream, heads[stream]]);
  return { floor: Math.max(floor, ...gone.map(began)), heads: Object.fromEntries(kept) };
}

/** The last ones, each behind those that it follows on: the same, in whichever order they come. */
export function inARow(pairs) {
  return row(row(pairs).slice(-MOST_FORMER));
}

function row(pairs) {
  const after = new Map([...pairs].sort((a, b) => (a.join() < b.join() ? -1 : 1)));
  const [all, named] = [[...after.keys()].sort(), new Set(after.values())];
  const found = new Map();
  for (const first of [...all.filter((each) => !named.has(each)), ...all]) {
    for (let before = first; after.has(before) && !found.has(before); before = after.get(before)) {
      found.set(before, after.get(before));
    }
  }
  return [...found];
}

function rememberFormer(room) {
  const found = [];
  let [after, left] = [room.roster.members, MOST_CHANGES];
  for (const [roster, members] of room.roster.formerOnes()) {
    const either = [...new Set([...after.keys(), ...members.keys()])].sort();
    const different = either.filter((each) => after.get(each) !== members.get(each));
    left -= different.length;
    if (left < 0) break;
    found.push({ roster, changes: Object.fromEntries(different.map((each) => [each, members.get(each) ?? null])) });
    after = members;
  }
  return found;
}

function formerOf(memory) {
  let members = new Map(Object.entries(memory.members));
  return (memory.former ?? []).map(({ roster, changes }) => {
    const both = new Map([...members, ...Object.entries(changes)]); // of an account that stands in both the change
    members = new Map([...both].filter(([, hash]) => hash !== null));
    return [roster, members];
  });
}

/** Into a chat, in which something may have come already. */
export function restore(room, memory) {
  for (const [account, each] of Object.entries(memory.streams)) {
    const heads = Object.entries(each.heads).map(([stream, [number, hash]]) => [stream, number, hash]);
    room.streams.restore(account, each.floor, heads);
  }
  if (memory.since) room.streams.knowsSince(memory.since);
  if (room.roster.head === NONE && memory.roster !== NONE) {
    room.roster.restore(memory.roster, memory.roster_at, Object.entries(memory.members), formerOf(memory));
  }
  for (const [account, pairs] of Object.entries(memory.successions ?? {})) {
    for (const [before, after] of pairs) room.roster.succeed(account, before, after);
  }
  for (const each of memory.epochs) room.epochs.restore(each.id, each.at, each.commitment, decode(each.sealed, SEALED));
}
