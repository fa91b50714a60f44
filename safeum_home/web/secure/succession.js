/** That an account has other keys now, said by those that it had. */

import { HASH } from "./envelope.js";
import { decode, encode, join, number, Reader } from "./octets.js";
import { MOST_FORMER } from "./people.js";
import { PublicKeys } from "./public_keys.js";
import { malformed } from "./refused.js";
import { isSigned, KEY, sign, SIGNATURE } from "./sodium.js";

function signed(account, before, after, at) {
  return join("safeum secure succession v1\0", account, "\0", decode(before, HASH), decode(after, HASH), number(at));
}

/** Keys of one account, each of which has named the next ones: `named` is a list of `{at, keys, word}`. */
export class Line {
  constructor(first, named) {
    Object.assign(this, { first, named });
  }

  /** All of them, the oldest first: two or more. */
  get keys() {
    return [this.first, ...this.named.map((each) => each.keys)];
  }

  get last() {
    return this.keys.at(-1);
  }

  /** Those that have named the last ones. */
  get before() {
    return this.keys.at(-2);
  }

  /** The content of an envelope. */
  get octets() {
    const named = this.named.flatMap(({ at, keys, word }) => [number(at), keys.sign, keys.box, word]);
    return join(this.first.sign, this.first.box, number(this.named.length, 1), ...named);
  }

  /** What the vault keeps. */
  get text() {
    return encode(this.octets);
  }

  /** Whether all of them have named the next ones, as keys of this account. */
  isSaid(account) {
    const { keys } = this;
    return this.named.every(({ at, word }, place) => (
      isSigned(keys[place].sign, word, signed(account, keys[place].hash, keys[place + 1].hash, at))
    ));
  }
}

/** `own` names its followers; `line` is how it came to be in force itself. Of that the last are kept. */
export function name(own, keys, at, line = null) {
  const word = sign(own.signing, signed(own.account, own.hash, keys.hash, at));
  const [known, named] = [line?.keys ?? [own.public], [...(line?.named ?? []), { at, keys, word }]];
  const over = Math.max(0, named.length - MOST_FORMER);
  return new Line(known[over], named.slice(over));
}

/** Throws `Refused`. */
export function take(reader) {
  const read = () => new PublicKeys(reader.take(KEY).slice(), reader.take(KEY).slice());
  const [first, count] = [read(), reader.number(1)];
  if (count < 1 || count > MOST_FORMER) throw malformed();
  const named = Array.from({ length: count }, () => ({ at: reader.number(), keys: read(), word: reader.take(SIGNATURE).slice() }));
  reader.end();
  const line = new Line(first, named);
  if (new Set(line.keys.map((each) => each.hash)).size !== count + 1) throw malformed();
  return line;
}

/** What `Line.text` was; throws `Refused`. */
export function ofText(text) {
  return take(new Reader(decode(text)));
}

/** What an envelope says: keys of `account` that have named each other. Throws `Refused`. */
export function read(envelope, account) {
  const line = take(new Reader(envelope.content));
  if (!line.isSaid(account)) throw malformed();
  return line;
}
