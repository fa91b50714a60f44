/** What the vault keeps of a secure chat: how far streams had come, the roster, and epochs to read in. */

import * as c from "./checks.js";
import { began, NONE } from "./envelope.js";
import { SEALED } from "./epoch.js";
import { MOST_MEMBERS } from "./members.js";
import { decode, encode } from "./octets.js";
import { MOST_FORMER } from "./people.js";
import { MOST_KEPT, MOST_SUCCESSORS } from "./roster.js";
import { inOrder } from "./streams.js";

const MOST_CHANGES = 2 * MOST_MEMBERS;

function streams(value) {
  const { floor, heads } = c.anObject(value);
  const head = (pair) => {
    const [number, hash] = c.aList(pair, (each) => each, 2, 2);
    return [c.anInteger(number), c.aHash(hash)];
  };
  return { floor: c.anInteger(floor), heads: c.entries(heads, (name) => c.named(name, c.STREAM), head, 64) };
}

function epoch(value) {
  const { id, commitment, sealed, at } = c.anObject(value);
  return { id: c.aHash(id), commitment: c.aHash(commitment), sealed: c.named(sealed, c.BOXED), at: c.anInteger(at) };
}

function former(value) {
  const { roster, changes } = c.anObject(value);
  const hash = (each) => (each === null ? null : c.aHash(each));
  return { roster: c.aHash(roster), changes: c.entries(changes, c.account, hash, MOST_CHANGES) };
}

/** Keys of an account that have named their followers: hashes of both, the first ones first. */
function named(value) {
  return c.aList(value, (each) => c.aList(each, c.aHash, 2, 2), 0, MOST_FORMER);
}

/** What a vault has of a chat, as it is used here; throws `Refused`. */
export function check(value) {
  const {
    streams: heads = {}, roster = NONE, roster_at = 0, members = {}, epochs = [], since = 0, former: before = [],
    successions = {}, peer = null,
  } = c.anObject(value);
  return {
    streams: c.entries(heads, c.account, streams, 4 * MOST_MEMBERS),
    roster: c.aHash(roster),
    roster_at: c.anInteger(roster_at),
    members: c.entries(members, c.account, c.aHash, MOST_MEMBERS),
    epochs: c.aList(epochs, epoch, 0, 16),
    since: c.anInteger(since),
    former: c.aList(before, former, 0, MOST_KEPT),
    successions: c.entries(successions, c.account, named, MOST_SUCCESSORS),
    peer: c.optional(peer, c.account) ?? null,
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
