/** Saying something: whom it is sealed to, in which epoch, and what waits until that can be. */

import * as envelopes from "./envelope.js";
import * as epochs from "./epoch.js";
import * as messages from "./message.js";
import { encode, join, number } from "./octets.js";
import * as payloads from "./payloads.js";
import { Reason, Refused } from "./refused.js";
import * as rosters from "./roster.js";
import { fresh } from "./sodium.js";

const MOST_WAITING = 100;
/** Octets that an epoch has more than the roster that it goes by, besides boxes, and an envelope around it. */
const ROOM = 256;
const WEEK = 7 * 24 * 60 * 60 * 1000;
const { Kind } = envelopes;

/** Says things in the stream of this program: events and posts, the latter with `is: "post"`. */
export class Sender {
  constructor(room, taker, watching) {
    Object.assign(this, { room, taker, watching });
    this.waiting = [];
    this.ownEpochs = [];
    this.renew();
  }

  /** Begin another stream, and say nothing in epochs of this one: others may not have them. */
  renew() {
    this.room.epochs.retire(this.ownEpochs);
    this.ownEpochs = [];
    this.taker.ownRosters.clear();
    this.#beginStream();
  }

  #beginStream() {
    this.began = this.room.now();
    this.stream = encode(join(number(this.began), fresh(8)));
    [this.number, this.previous] = [0, envelopes.NONE];
    this.taker.ownStream = this.stream;
  }

  /** Seal it, or let it wait for keys; throws `Refused`. */
  say(payload, reference) {
    const said = { payload: payloads.encode(payload), quiet: payloads.isQuiet(payload), reference };
    if (!this.room.isIn) throw new Refused(Reason.NOT_A_MEMBER);
    const wanted = this.room.wanted();
    if (!this.waiting.length && wanted.isWhole) return this.#seal(said, wanted);
    if (this.waiting.length >= MOST_WAITING) throw new Refused(Reason.TOO_MANY);
    this.waiting.push(said);
    return [...lacking(wanted), { is: "waiting", reference, accounts: [...wanted.missing, ...wanted.differ] }];
  }

  /** Keys have come: say what waits, if they are those that are missing. */
  again() {
    const out = [];
    while (this.waiting.length) {
      const wanted = this.room.wanted();
      if (!wanted.isWhole) return [...out, ...lacking(wanted)];
      out.push(...this.#seal(this.waiting.shift(), wanted));
    }
    return out;
  }

  /** Say something no more that waits; whether it did. */
  forget(reference) {
    const before = this.waiting.length;
    this.waiting = this.waiting.filter((each) => each.reference !== reference);
    return this.waiting.length !== before;
  }

  /** Sign another roster, which is in force once it was taken: a post. Throws `Refused`. */
  signRoster(members) {
    const { room, taker } = this;
    if (room.peer !== null) throw new Refused(Reason.NOT_A_MEMBER);
    if (room.isSucceeded) throw new Refused(Reason.OLD_KEYS);
    if (taker.ownRosters.size) throw new Refused(Reason.TOO_MANY);
    const content = rosters.make(room.now(), room.roster.head, members);
    if (content.length + members.size * epochs.SEALED > envelopes.MOST - ROOM) throw new Refused(Reason.TOO_LARGE);
    const envelope = this.#envelope(Kind.ROSTER, content);
    taker.ownRosters.set(envelope.hash, envelope.head);
    return this.#post(envelope, null);
  }

  /** Name the keys of this chat as the followers of those before: a post. */
  succeed(line) {
    return this.#post(this.#envelope(Kind.SUCCESSION, line.octets), null);
  }

  #seal(said, wanted) {
    const { room } = this;
    const posts = [];
    let known = room.epochs.usable(wanted.hashes, room.now());
    if (!known) {
      posts.push(this.#begin(wanted));
      known = room.epochs.get(posts[0].hash);
    }
    const where = room.place(room.own.account);
    const key = room.epochs.key(known).ofSender(room.own.account, room.own.hash);
    const head = this.#next(Kind.MESSAGE, said.quiet);
    const seen = room.streams.seen(this.stream);
    const inner = { at: room.now(), vault: room.vaultVersion(), seen, payload: said.payload };
    const content = messages.seal(inner, head, where, known.id, key);
    known.count += 1;
    posts.push(this.#post(envelopes.seal(head, content, where, room.own.signing), said.reference));
    return posts;
  }

  /** A new epoch: a post. */
  #begin(wanted) {
    const { room } = this;
    const key = new epochs.EpochKey();
    const content = epochs.make(key, room.now(), room.roster.head, room.epochs.newest, wanted.members);
    const envelope = this.#envelope(Kind.EPOCH, content);
    room.epochs.add(envelope.hash, epochs.read(envelope), key, room.inForce());
    this.ownEpochs.push(envelope.hash);
    return this.#post(envelope, null);
  }

  #envelope(kind, content) {
    const { own } = this.room;
    return envelopes.seal(this.#next(kind, true), content, this.room.place(own.account), own.signing);
  }

  #next(kind, quiet) {
    const now = this.room.now();
    if (now > this.began + WEEK) this.renew();
    // As of its first envelope: who comes before that knows that it lacks none.
    else if (!this.number && now > this.began) this.#beginStream();
    return { kind, quiet, stream: this.stream, number: this.number + 1, previous: this.previous };
  }

  #post(envelope, reference) {
    const { account } = this.room.own;
    const { hash, head } = envelope;
    [this.number, this.previous] = [head.number, hash];
    this.room.streams.note(head, account, hash, true);
    this.taker.wrote(hash, account);
    this.watching.said(this.stream, this.number, this.room.now());
    return { is: "post", data: envelope.data, quiet: head.quiet, hash, reference };
  }
}

function lacking(wanted) {
  const needed = wanted.missing.length ? [{ is: "keys_needed", accounts: wanted.missing }] : [];
  return [...needed, ...wanted.differ.map((account) => ({ is: "keys_differ", account }))];
}
