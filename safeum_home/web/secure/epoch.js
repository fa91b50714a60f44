/** An epoch: a random key, boxed to each member, under which messages are sealed for a while. */

import { HASH } from "./envelope.js";
import * as listed from "./members.js";
import { decode, encode, join, number, Reader } from "./octets.js";
import { Reason, Refused } from "./refused.js";
import { BOX, boxesTo, digest, fresh, KEY, openBox, wipe } from "./sodium.js";

export const SEALED = KEY + BOX;

/** The key of an epoch, from which those of its senders follow. To be wiped. */
export class EpochKey {
  constructor(key = fresh(KEY)) {
    this.key = key;
    this.senders = new Map();
  }

  /** The key of one sender's messages. */
  ofSender(account, hash) {
    const who = `${account}\0${hash}`;
    if (!this.senders.has(who)) {
      this.senders.set(who, digest(join(account, "\0", decode(hash, HASH)), "safeum sender v1", KEY, this.key));
    }
    return this.senders.get(who);
  }

  commitment() {
    return encode(digest(new Uint8Array(0), "safeum epoch key", HASH, this.key));
  }

  /** Sealed to each of some members; throws `Refused` for a key of small order. */
  boxes(keys) {
    try {
      return boxesTo(keys, this.key);
    } catch {
      throw new Refused(Reason.NO_KEYS);
    }
  }

  wipe() {
    wipe(this.key, ...this.senders.values());
    this.senders.clear();
  }
}

/** The content of an envelope; `members` is a Map of accounts to public keys. */
export function make(key, at, roster, previous, members) {
  const sealed = key.boxes([...members.values()].map((keys) => keys.box));
  const boxes = new Map([...members.keys()].map((account, at) => [account, sealed[at]]));
  const hashes = new Map([...members].map(([account, keys]) => [account, keys.hash]));
  const three = [key.commitment(), roster, previous].map((each) => decode(each, HASH));
  return join(number(at), ...three, listed.write(hashes, boxes));
}

/** What an envelope says; throws `Refused`. */
export function read(envelope) {
  const reader = new Reader(envelope.content);
  const at = reader.number();
  const [commitment, roster, previous] = [reader.name(HASH), reader.name(HASH), reader.name(HASH)];
  const members = listed.read(reader, SEALED);
  reader.end();
  const hashes = new Map([...members].map(([account, each]) => [account, each.hash]));
  return { at, commitment, roster, previous, members, hashes };
}

/** The key of an epoch that was read; throws `Refused`. */
export function open(epoch, own) {
  const member = epoch.members.get(own.account);
  if (member?.hash !== own.hash) throw new Refused(Reason.EXCLUDED);
  return openKey(member.extra, epoch.commitment, own);
}

/** The key in a box; throws `Refused`. */
export function openKey(sealed, commitment, own) {
  const octets = openBox(sealed, own.public.box, own.box);
  if (octets?.length !== KEY) throw new Refused(Reason.BAD_EPOCH);
  const key = new EpochKey(octets);
  if (key.commitment() !== commitment) {
    key.wipe();
    throw new Refused(Reason.BAD_EPOCH);
  }
  return key;
}
