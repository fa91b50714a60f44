/**
 * A secure chat: envelopes in, what was said and what is not as it should be out, and envelopes to be posted.
 * Nothing here does I/O. `index.js` says how a program uses it.
 */

import { remember, restore } from "./chat_memory.js";
import * as envelopes from "./envelope.js";
import { Reason, Refused } from "./refused.js";
import { Room } from "./room.js";
import { Sender } from "./sending.js";
import * as succession from "./succession.js";
import { isSuccession, Taker } from "./taking.js";
import { Watching } from "./watching.js";

function step(...parts) {
  const [events, posts] = [[], []];
  for (const each of parts.flat()) (each.is === "post" ? posts : events).push(each);
  return { events, posts };
}

/** One chat, with `peer` the other one's account, or null in a group; `now` answers milliseconds. */
export class SecureChat {
  #room;
  #taker;
  #sender;
  #watching;
  #warned = new Map();

  /** `former` are keys that the account had before, which its owner may have entered: this list, as it is at any time. */
  constructor({ chat, own, people, now, peer = null, vaultVersion = () => 0, former = [] }) {
    this.#room = new Room(chat, own, people, now, peer, vaultVersion, former);
    people.own(own.account, own.public, this.#room.now());
    this.#watching = new Watching(this.#room.streams);
    this.#taker = new Taker(this.#room, this.#watching);
    this.#sender = new Sender(this.#room, this.#taker, this.#watching);
  }

  /** An envelope that has come now, `{sender, id, data, quiet}`, in the order of the node. */
  take(told) {
    return step(this.#taker.take(told, false));
  }

  /**
   * A page of history, the oldest first: it is read, and nothing is said in its epochs. Successions are read before all
   * else, as what comes before them is signed with the keys before.
   */
  past(page) {
    const first = page.filter(isSuccession);
    const rest = page.filter((each) => !isSuccession(each));
    return step(...[...first, ...rest].map((each) => this.#taker.take(each, true)));
  }

  /** Whether what was in history waits for epochs from further back. */
  get lacksPast() {
    return this.#taker.lacksPast;
  }

  /** The members of a group, as the node names them. */
  membersTold(accounts) {
    const room = this.#room;
    if (room.peer !== null) throw new Refused(Reason.NOT_A_MEMBER);
    const [before, vouched] = [room.told, room.roster.members];
    room.told = new Set(accounts);
    const strange = [...room.told].filter((each) => !vouched.has(each) && !before?.has(each));
    const gone = [...vouched.keys()].filter((each) => !room.told.has(each) && (before === null || before.has(each)));
    room.changed();
    const events = [];
    if (strange.length) events.push({ is: "not_vouched", accounts: strange.sort() });
    if (gone.length) events.push({ is: "gone", accounts: gone.sort() });
    return step(events, this.#sender.again());
  }

  /** Keys of the directory (`PublicKeys.of`): to be told to every chat with the account. */
  keysTold(account, keys) {
    const room = this.#room;
    room.people.told(account, keys, room.now());
    const person = room.people.get(account);
    const events = [];
    if (person.offered?.hash === keys.hash && this.#warned.get(account) !== keys.hash) {
      this.#warned.set(account, keys.hash);
      events.push({ is: "keys_changed", account, before: person.keys.hash, after: keys.hash, vouched: false });
    }
    const again = this.lookAgain();
    return { events: [...events, ...again.events], posts: again.posts };
  }

  /** Keys have come, or were accepted. */
  lookAgain() {
    this.#room.changed();
    return step(this.#taker.again(), this.#sender.again());
  }

  /** Time has passed: call it every 20 seconds or so. */
  tick() {
    return step(this.#taker.overdue(), this.#watching.overdue(this.#room.now()));
  }

  /** Say something. What cannot be sealed yet waits in memory, and an event tells for whom. Throws `Refused`. */
  say(payload, reference) {
    return step(this.#sender.say(payload, reference));
  }

  /** Say something no more that waits; whether it did wait. */
  forget(reference) {
    return this.#sender.forget(reference);
  }

  /** Go on with another stream: a node will not have a post, of that `data`, nor any made since. */
  renew(refused = null) {
    if (refused !== null) this.#room.streams.endBefore(envelopes.read(refused).head);
    this.#sender.renew();
  }

  /** Who is in it, with the hash of the keys in force: by the word of members, not of the node. */
  get members() {
    return this.#room.inForce();
  }

  /**
   * Vouch for new members of a group; also how its creator begins. It is in force once the node has told where it
   * stands: `take` it like those of others, with the id that it was acknowledged with. One at a time. Throws `Refused`.
   */
  admit(accounts) {
    const { own, people, roster } = this.#room;
    const members = new Map(roster.members);
    if (!members.has(own.account)) members.set(own.account, own.hash);
    for (const account of accounts) {
      const person = people.get(account);
      if (!person || person.offered) throw new Refused(Reason.NO_KEYS);
      members.set(account, person.keys.hash);
    }
    return this.#signRoster(members);
  }

  /** Say that these, or oneself, are in the group no more. As with `admit`, `take` it back. */
  dismiss(accounts) {
    const gone = new Set(accounts);
    const left = new Map([...this.#room.roster.members].filter(([account]) => !gone.has(account)));
    return left.size ? this.#signRoster(left) : step();
  }

  #signRoster(members) {
    return step(this.#sender.signRoster(members));
  }

  /**
   * Go on with other keys, which those of this chat have named (`succession.name`), and tell that. Not while a roster is
   * on its way: throws `Refused`. The keys before stay among `former`.
   */
  succeed(next, given = null) {
    const room = this.#room;
    if (given && room.own.hash === next.hash) return this.tell(given);
    if (this.#taker.ownRosters.size) throw new Refused(Reason.TOO_MANY);
    const line = given ?? succession.name(room.own, next.public, room.now());
    if (line.last.hash !== next.hash) throw new Refused(Reason.NO_KEYS);
    if (!room.former.includes(room.own)) room.former.push(room.own);
    room.epochs.rekey(next);
    room.own = next;
    room.people.follow(next.account, line.keys, room.now());
    room.succeed(next.account, line.keys);
    this.#sender.renew();
    return step(this.tell(line).posts, this.#sender.again());
  }

  /** How the keys of this chat came to be in force: in lists of members they stand for those before. */
  know(line) {
    const { own, people } = this.#room;
    people.follow(own.account, line.keys, this.#room.now());
    this.#room.succeed(own.account, line.keys);
  }

  /** Name the keys of this chat as the followers of those before, where that was not done yet. */
  tell(line) {
    return step(this.#sender.succeed(line));
  }

  /** What the vault keeps of it. */
  memory() {
    const [unreturned] = this.#taker.ownRosters.values();
    return remember(this.#room, unreturned);
  }

  /** What the vault has kept: before anything is taken, or merged into what was. */
  restore(memory) {
    restore(this.#room, memory);
  }

  /** Wipe the keys of its epochs. The unique key is its owner's to wipe. */
  close() {
    this.#room.epochs.wipe();
  }
}
