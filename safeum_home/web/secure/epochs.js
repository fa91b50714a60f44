/** The epochs of a chat that are known: which one is good to say something in, and their keys. */

import { openKey } from "./epoch.js";
import { NONE } from "./envelope.js";
import { Reason, Refused } from "./refused.js";

const DAY = 24 * 60 * 60 * 1000;
const AHEAD = 5 * 60 * 1000;
export const MOST_MESSAGES = 100;
/** Milliseconds in which messages are taken that were under way when members, or keys, changed. */
export const GRACE = 10 * 60 * 1000;
const MOST_KEPT = 128;
const MOST_OPEN = 16;
export const IN_VAULT = 4;

function within(hashes, inForce) {
  for (const [account, hash] of hashes) if (inForce.get(account) !== hash) return false;
  return true;
}

export class Epochs {
  constructor(own, former = []) {
    Object.assign(this, { own, former });
    this.known = new Map();
    this.opened = new Map();
    this.changedAt = 0;
  }

  get(id) {
    return this.known.get(id);
  }

  /** The id of the one that was taken last. */
  get newest() {
    return [...this.known.keys()].at(-1) ?? NONE;
  }

  /** One whose key is open; null of keys that this account has no more. `inForce` are members now; null of the past. */
  add(id, epoch, key, inForce) {
    const { at, commitment, hashes, members } = epoch;
    const stale = inForce && !within(hashes, inForce) ? this.changedAt : null;
    const { hash, extra } = members.get(this.own.account);
    const mine = () => (hash === this.own.hash ? extra.slice() : key.boxes([this.own.public.box])[0]);
    const sealed = key ? mine() : null;
    this.#keep({ id, at, commitment, sealed, hashes, good: inForce !== null, count: 0, stale });
    if (key) this.#open(id, key);
  }

  /** As the vault has it: to read what comes in it yet. */
  restore(id, at, commitment, sealed) {
    if (this.known.has(id)) return;
    this.#keep({ id, at, commitment, sealed, hashes: null, good: false, count: 0, stale: null });
  }

  /** Whether one that comes now has members, or keys, that have been none for longer than is waited. */
  isLate(epoch, inForce, now) {
    return !within(epoch.hashes, inForce) && now > this.changedAt + GRACE;
  }

  /** Throws `Refused`: FORMER_KEYS, or BAD_EPOCH of one that the vault had and is not for these keys. */
  key(known) {
    const key = this.opened.get(known.id) ?? this.#openAnew(known);
    this.#open(known.id, key);
    return key;
  }

  #openAnew({ sealed, commitment, hashes }) {
    for (const each of sealed ? [this.own, ...this.former] : []) {
      try {
        return openKey(sealed, commitment, each);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
      }
    }
    const former = hashes && hashes.get(this.own.account) !== this.own.hash;
    throw new Refused(former ? Reason.FORMER_KEYS : Reason.BAD_EPOCH);
  }

  /** Other keys of this account are in force: those of the last epochs are sealed to these. */
  rekey(own) {
    for (const known of [...this.known.values()].slice(-MOST_OPEN)) {
      try {
        [known.sealed] = this.key(known).boxes([own.public.box]);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
      }
    }
    this.own = own;
  }

  /** Members, or their keys, are others: epochs for what is none any more are stale from now on. */
  changed(inForce, now) {
    this.changedAt = now;
    for (const known of this.known.values()) {
      if (known.hashes && known.stale === null && !within(known.hashes, inForce)) known.stale = now;
    }
  }

  /** Say nothing more in these. */
  retire(ids) {
    for (const id of ids) {
      if (this.known.has(id)) this.known.get(id).good = false;
    }
  }

  /** One in which something may be said to exactly these, the one that came last first. */
  usable(inForce, now) {
    return [...this.known.values()].findLast((known) => (
      known.good && known.count < MOST_MESSAGES && now - DAY < known.at && known.at <= now + AHEAD
      && known.hashes.size === inForce.size && within(known.hashes, inForce)
    ));
  }

  /** Those that the vault keeps, the newest last. */
  recent() {
    return [...this.known.values()].filter((known) => known.sealed).slice(-IN_VAULT);
  }

  wipe() {
    for (const key of this.opened.values()) key.wipe();
    this.opened.clear();
    this.known.clear();
  }

  #keep(known) {
    this.known.set(known.id, known);
    if (this.known.size <= MOST_KEPT) return;
    const [gone] = this.known.keys();
    this.known.delete(gone);
    this.opened.get(gone)?.wipe();
    this.opened.delete(gone);
  }

  #open(id, key) {
    this.opened.delete(id);
    this.opened.set(id, key);
    if (this.opened.size <= MOST_OPEN) return;
    const [oldest] = this.opened.keys();
    this.opened.get(oldest).wipe();
    this.opened.delete(oldest);
  }
}
