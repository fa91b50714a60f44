/** Whose an envelope is: the keys that have signed it, in force or before, as they are known here. */

import { began, Kind } from "./envelope.js";
import * as epochs from "./epoch.js";
import { GRACE } from "./epochs.js";
import { Held, Reason, Refused } from "./refused.js";
import * as succession from "./succession.js";

/** The keys of its sender that have signed it; throws `Held`, `Refused`. */
export function signerOf(room, held) {
  const { told: { sender }, envelope, past } = held;
  const [where, person] = [room.place(sender), room.people.get(sender)];
  if (!person) throw new Held(Reason.NO_KEYS, sender);
  if (envelope.head.kind === Kind.SUCCESSION) return successor(room, held, person);
  const isOwn = sender === room.own.account;
  for (const keys of isOwn ? [room.own.public, person.keys] : [person.keys]) {
    if (envelope.isSigned(where, keys.sign)) return keys;
  }
  for (const keys of [...person.former].reverse()) {
    if (!envelope.isSigned(where, keys.sign)) continue;
    checkTime(room, past, person);
    return keys;
  }
  if (person.offered && envelope.isSigned(where, person.offered.sign)) throw new Held(Reason.NO_KEYS);
  if (past && isOwn) checkLost(room, envelope, person.since);
  throw new Refused(Reason.BAD_SIGNATURE);
}

/** The last keys of a succession, which have signed it. */
function successor(room, { told: { sender }, envelope, past }, person) {
  const line = succession.read(envelope, sender);
  if (!envelope.isSigned(room.place(sender), line.last.sign)) throw new Refused(Reason.BAD_SIGNATURE);
  if (!room.people.checkLine(sender, line.keys)) checkTime(room, past, person);
  return line.last;
}

/** Keys of before are good for what was under way, and for history; throws `Refused`. */
function checkTime(room, past, person) {
  if (!past && room.now() > person.since + GRACE) throw new Refused(Reason.OLD_KEYS);
}

/** Throws `Refused` of what this account may have signed with keys that nobody knows any more. Epochs are noted. */
function checkLost({ people, epochs: known, own }, envelope, since) {
  if (!people.lost.size || began(envelope.head.stream) >= since) return;
  if (envelope.head.kind === Kind.EPOCH) {
    const epoch = epochs.read(envelope);
    if (people.lost.has(epoch.hashes.get(own.account))) known.add(envelope.hash, epoch, null, null);
  }
  throw new Refused(Reason.FORMER_KEYS);
}
