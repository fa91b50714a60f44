/** What both halves of a secure chat, that which takes and that which says, share. */

import { Place } from "./envelope.js";
import * as epochs from "./epoch.js";
import { Epochs } from "./epochs.js";
import { Reason, Refused } from "./refused.js";
import { Roster } from "./roster.js";
import { Streams } from "./streams.js";

const MOST_PLACES = 256;

/** A chat of two, where `peer` is the other one's account, or of a group, where it is null. */
export class Room {
  /** `former` are keys that this account had before, as far as they are at hand: to open what is for these. */
  constructor(chat, own, people, now, peer, vaultVersion, former) {
    Object.assign(this, { chat, own, people, peer, vaultVersion, former });
    this.clock = now;
    this.roster = new Roster(own.account);
    this.streams = new Streams(this.now());
    this.epochs = new Epochs(own, former);
    /** Members as the node names them: a Set; null as long as it has not. */
    this.told = null;
    this.places = new Map();
  }

  /** Milliseconds. */
  now() {
    return Math.floor(this.clock());
  }

  place(account) {
    const known = this.places.get(account);
    if (known) return known;
    if (this.places.size >= MOST_PLACES) this.places.clear();
    const place = new Place(this.chat, account);
    this.places.set(account, place);
    return place;
  }

  /** Whether this account is a member here. */
  get isIn() {
    const { account } = this.own;
    return this.peer !== null || (this.roster.isIn && (this.told === null || this.told.has(account)));
  }

  /** Whether the keys of this program have named others: nothing is said with them any more. */
  get isSucceeded() {
    const person = this.people.get(this.own.account);
    return Boolean(person?.former.some((each) => each.hash === this.own.hash));
  }

  /** The key of an epoch; null where it is for keys that this account has no more. Throws `Refused`. */
  open(epoch) {
    const { account } = this.own;
    const hash = epoch.members.get(account)?.hash;
    const key = [this.own, ...this.former].find((each) => each.hash === hash);
    if (key) return epochs.open(epoch, key);
    if (this.people.wasOwn(account, hash)) return null;
    throw new Refused(Reason.EXCLUDED);
  }

  /** Who is a member, with the hash of the keys that are in force here: a Map. */
  inForce() {
    if (this.peer === null) {
      return new Map([...this.roster.members].filter(([account]) => this.told === null || this.told.has(account)));
    }
    const found = new Map([[this.own.account, this.own.hash]]);
    const person = this.people.get(this.peer);
    if (person) found.set(this.peer, person.keys.hash);
    return found;
  }

  /** Whom something that is said now is sealed to (a Map), and whose keys are missing, or others, for that. */
  wanted() {
    const of = [this.people.revision, this.roster.revision, this.told];
    if (!this.cached || of.some((each, at) => each !== this.cached.of[at])) {
      this.cached = { of, wanted: this.#findWanted() };
    }
    return this.cached.wanted;
  }

  #findWanted() {
    const inForce = this.peer === null
      ? this.inForce() : new Map([[this.peer, null], [this.own.account, null]]);
    const [members, missing, differ] = [new Map(), [], []];
    for (const [account, hash] of inForce) {
      const person = this.people.get(account);
      if (account === this.own.account) {
        members.set(account, this.own.public);
        if (this.isSucceeded || (hash !== null && hash !== this.own.hash)) differ.push(account);
      } else if (!person) missing.push(account);
      else if (person.offered || (hash !== null && hash !== person.keys.hash)) differ.push(account);
      else members.set(account, person.keys);
    }
    const hashes = new Map([...members].map(([account, keys]) => [account, keys.hash]));
    return { members, hashes, missing, differ, isWhole: !missing.length && !differ.length };
  }

  /** Keys of an account have named each other, the oldest first: in rosters they stand for each other. */
  succeed(account, keys) {
    keys.slice(1).forEach((each, at) => this.roster.succeed(account, keys[at].hash, each.hash));
    this.changed();
  }

  /** Members, or keys, are others now. */
  changed() {
    this.epochs.changed(this.inForce(), this.now());
  }
}
