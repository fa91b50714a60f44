/** Comparing emoji within a secure chat: idle -> offered or asked -> shown -> over, for one of the two. */

import { HASH } from "./envelope.js";
import { canonical, decode, encode, join } from "./octets.js";
import { malformed } from "./refused.js";
import { SIZE, words } from "./sas.js";
import { agree, digest, fresh, KEY, publicOf, wipe } from "./sodium.js";

/** What says nothing of a key, and fits no other. */
export function commitment(key, nonce) {
  return encode(digest(join(key, nonce), "safeum compare"));
}

/** What both see: `keys` of who began, and of the other; `pair` is `{chat, beginner, other}` of `{account, hash}`. */
export function shown(pair, compare, keys, nonce, shared) {
  const said = {
    chat: pair.chat,
    compare,
    beginner: pair.beginner.account,
    beginner_keys: pair.beginner.hash,
    beginner_key: encode(keys[0]),
    nonce: encode(nonce),
    other: pair.other.account,
    other_keys: pair.other.hash,
    other_key: encode(keys[1]),
  };
  return words(digest(join("safeum secure compare v1\0", canonical(said)), "safeum emoji v1", SIZE, shared));
}

/** One side. `home` has `say(payload)`, `show(words)` and `done(same)`. */
export class Comparison {
  #state = "idle";
  #key = fresh(KEY);
  #nonce;
  #said = new Map();

  constructor(pair, home, { compare = encode(fresh(16)), committed = null, nonce = fresh(KEY) } = {}) {
    Object.assign(this, { pair, home, compare, committed });
    this.#nonce = nonce;
  }

  /** One that the other has asked for: `agree` to it. Throws `Refused`. */
  static asked(pair, start, home) {
    decode(start.commitment, HASH);
    if (start.to !== pair.other.account) throw malformed();
    return new Comparison(pair, home, { compare: start.compare, committed: start.commitment });
  }

  get #public() {
    return publicOf(this.#key);
  }

  /** This side begins. */
  begin() {
    if (this.#state !== "idle") return;
    this.#state = "offered";
    const committed = commitment(this.#public, this.#nonce);
    this.home.say({ kind: "compare.start", compare: this.compare, to: this.pair.other.account, commitment: committed });
  }

  /** The owner of this side wants to compare, as the other has asked. */
  agree() {
    if (this.#state !== "idle") return;
    this.#state = "asked";
    this.home.say({ kind: "compare.answer", compare: this.compare, key: encode(this.#public) });
  }

  /** The other has said something of this comparison. */
  heard(payload) {
    if (this.#state === "offered") this.#answered(payload);
    else if (this.#state === "asked") this.#revealed(payload);
    else if (this.#state === "shown") {
      this.#said.set("other", payload.kind === "compare.done" && payload.same);
      this.#settle();
    } else if (this.#state === "idle") this.stop(); // whoever has asked does not wait for an answer
  }

  #answered(payload) {
    if (payload.kind !== "compare.answer") return this.stop();
    const [own, theirs] = [this.#public, decode(payload.key, KEY)];
    const revealed = { key: encode(own), nonce: encode(this.#nonce) };
    this.home.say({ kind: "compare.reveal", compare: this.compare, ...revealed });
    return this.#see([own, theirs], this.#nonce, theirs);
  }

  #revealed(payload) {
    if (payload.kind !== "compare.reveal") return this.stop();
    const [theirs, nonce] = [decode(payload.key, KEY), decode(payload.nonce, KEY)];
    if (commitment(theirs, nonce) !== this.committed) return this.stop();
    return this.#see([theirs, this.#public], nonce, theirs);
  }

  #see(keys, nonce, theirs) {
    const shared = agree(this.#key, theirs);
    if (shared === null) return this.stop(); // a key of small order
    this.#state = "shown";
    this.home.show(shown(this.pair, this.compare, keys, nonce, shared));
    return wipe(shared, this.#key);
  }

  /** The owner of this side says whether the other sees the same. */
  judge(same) {
    if (this.#state !== "shown") return;
    this.home.say({ kind: "compare.done", compare: this.compare, same });
    this.#said.set("own", same);
    this.#settle();
  }

  #settle() {
    if (this.#said.size === 2 || [...this.#said.values()].includes(false)) this.stop();
  }

  /** It is given up, or settled. */
  stop() {
    if (this.#state === "over") return;
    this.#state = "over";
    wipe(this.#key);
    const same = this.#said.size === 2 && ![...this.#said.values()].includes(false);
    if (!this.#said.size) this.home.say({ kind: "compare.done", compare: this.compare, same: false });
    this.home.done(same);
  }
}
