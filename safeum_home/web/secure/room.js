/** What both halves of a secure chat, that which takes and that which says, share. */

import { Place } from "./envelope.js";
import { Epochs } from "./epochs.js";
import { Roster } from "./roster.js";
import { Streams } from "./streams.js";

const MOST_PLACES = 256;

/** A chat of two, where `peer` is the other one's account, or of a group, where it is null. */
export class Room {
  constructor(chat, own, people, now, peer, vaultVersion) {
    Object.assign(this, { chat, own, people, peer, vaultVersion });
    this.clock = now;
    this.roster = new Roster(own.account);
    this.streams = new Streams(this.now());
    this.epochs = new Epochs(own);
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
        if (hash !== null && hash !== this.own.hash) differ.push(account);
      } else if (!person) missing.push(account);
      else if (person.offered || (hash !== null && hash !== person.keys.hash)) differ.push(account);
      else members.set(account, person.keys);
    }
    const hashes = new Map([...members].map(([account, keys]) => [account, keys.hash]));
    return { members, hashes, missing, differ, isWhole: !missing.length && !differ.length };
  }

  /** Members, or keys, are others now. */
  changed() {
    this.epochs.changed(this.inForce(), this.now());
  }
}
