/** What goes through a node in a secure chat: octets that are signed, numbered and chained. */

import { decode, encode, join, number, Reader, utf8 } from "./octets.js";
import { malformed, Reason, Refused } from "./refused.js";
import { digest, isSigned, sign, SIGNATURE } from "./sodium.js";

export const Kind = Object.freeze({ EPOCH: 0x11, MESSAGE: 0x12, ROSTER: 0x13, SUCCESSION: 0x14 });
const KINDS = new Set(Object.values(Kind));
export const MOST = 40960;
export const HASH = 32;
export const STREAM = 16;
export const HEAD = 2 + STREAM + 8 + HASH;
/** Instead of a hash where there is nothing before. */
export const NONE = "A".repeat(43);
const TAG = "safeum secure envelope v1\0";

/** Whose envelope it is, and in which chat. */
export class Place {
  #about = new Map();

  constructor(chat, account) {
    Object.assign(this, { chat, account });
  }

  /** What is signed, or authenticated, before the octets themselves. */
  about(tag) {
    if (!this.#about.has(tag)) this.#about.set(tag, utf8(`${tag}${this.chat}\0${this.account}\0`));
    return this.#about.get(tag);
  }
}

/** The first octets of an envelope, which are kept with its head. */
export function headOctets(head) {
  head.octets ??= join(
    Uint8Array.of(head.kind, head.quiet ? 1 : 0), decode(head.stream, STREAM), number(head.number),
    decode(head.previous, HASH),
  );
  return head.octets;
}

/** When a stream began, by its sender's clock: milliseconds. */
export function began(stream) {
  return new Reader(decode(stream, STREAM)).number();
}

export class Envelope {
  constructor(head, content, octets) {
    this.head = head;
    this.content = content;
    this.octets = octets;
    this.hash = encode(digest(octets, "safeum envelope"));
  }

  get data() {
    return encode(this.octets);
  }

  /** Whether it is of this account, with this key, in this chat. */
  isSigned(where, key) {
    const signed = this.octets.subarray(0, -SIGNATURE);
    return isSigned(key, this.octets.subarray(-SIGNATURE), where.about(TAG), signed);
  }
}

/** A new envelope; throws `Refused`. */
export function seal(head, content, where, signing) {
  const signed = join(headOctets(head), content);
  if (signed.length + SIGNATURE > MOST) throw new Refused(Reason.TOO_LARGE);
  return new Envelope(head, content, join(signed, sign(signing, where.about(TAG), signed)));
}

/** An envelope of what came as `data`; throws `Refused`. Nothing of it is believed yet. */
export function read(data) {
  if (typeof data !== "string" || data.length > Math.ceil((MOST * 4) / 3)) throw malformed();
  const octets = decode(data);
  const reader = new Reader(octets);
  const [kind, flags] = [reader.number(1), reader.number(1)];
  if (!KINDS.has(kind) || flags > 1 || (flags === 0 && kind !== Kind.MESSAGE)) throw malformed();
  const head = {
    kind, quiet: flags === 1, stream: reader.name(STREAM), number: reader.number(), previous: reader.name(HASH),
  };
  if (octets.length < HEAD + SIGNATURE) throw malformed();
  if (head.number < 1 || (head.number === 1) !== (head.previous === NONE)) throw malformed();
  began(head.stream);
  return new Envelope(head, octets.subarray(HEAD, -SIGNATURE), octets);
}
