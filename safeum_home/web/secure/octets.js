/** How octets are laid out: numbers are big-endian, texts and lists have their length before them. */

import { malformed } from "./refused.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const CODES = encoder.encode(ALPHABET);
/** Of each UTF-16 unit; below zero of what stands for nothing. */
const VALUES = new Int8Array(65536).fill(-1);
CODES.forEach((code, value) => { VALUES[code] = value; });

export function utf8(text) {
  return encoder.encode(text);
}

/** A text of octets; throws `Refused` where they are no UTF-8. */
export function fromUtf8(octets) {
  try {
    return decoder.decode(octets);
  } catch {
    throw malformed();
  }
}

/** All of these, one after the other: octets, or texts, as UTF-8. */
export function join(...parts) {
  let size = 0;
  for (let each = 0; each < parts.length; each += 1) {
    if (typeof parts[each] === "string") parts[each] = utf8(parts[each]);
    size += parts[each].length;
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** An integer of `size` octets. */
export function number(value, size = 8) {
  const octets = new Uint8Array(size);
  for (let at = size - 1, rest = value; at >= 0; at -= 1, rest = Math.floor(rest / 256)) octets[at] = rest % 256;
  return octets;
}

/** UTF-8, its length before it in two octets. */
export function text(value) {
  const octets = utf8(value);
  return join(number(octets.length, 2), octets);
}

/** base64url without padding (RFC 4648, section 5). */
export function encode(octets) {
  const codes = new Uint8Array(Math.ceil((octets.length * 4) / 3));
  const whole = octets.length - (octets.length % 3);
  let place = 0;
  for (let at = 0; at < whole; at += 3, place += 4) {
    const bits = (octets[at] << 16) | (octets[at + 1] << 8) | octets[at + 2];
    codes[place] = CODES[bits >> 18];
    codes[place + 1] = CODES[(bits >> 12) & 63];
    codes[place + 2] = CODES[(bits >> 6) & 63];
    codes[place + 3] = CODES[bits & 63];
  }
  for (let bits = (octets[whole] << 8) | octets[whole + 1], shift = 10; place < codes.length; place += 1, shift -= 6) {
    codes[place] = CODES[(shift < 0 ? bits << -shift : bits >> shift) & 63];
  }
  return decoder.decode(codes);
}

/** The octets of a text, which is the only one that stands for them; throws `Refused`. `size` where it is known. */
export function decode(data, size = null) {
  const whole = Math.floor((data.length * 3) / 4);
  if (data.length % 4 === 1 || (size !== null && whole !== size)) throw malformed();
  const octets = new Uint8Array(whole);
  let bad = 0;
  for (let place = 0, at = 0; at < whole; place += 4, at += 3) {
    const left = data.length - place;
    const one = VALUES[data.charCodeAt(place)];
    const two = VALUES[data.charCodeAt(place + 1)];
    const three = left > 2 ? VALUES[data.charCodeAt(place + 2)] : 0;
    const four = left > 3 ? VALUES[data.charCodeAt(place + 3)] : 0;
    const bits = (one << 18) | (two << 12) | (three << 6) | four;
    octets[at] = bits >> 16;
    octets[at + 1] = bits >> 8; // beyond the end nothing is kept
    octets[at + 2] = bits;
    bad |= one | two | three | four | (left < 4 ? -(bits & (left > 2 ? 255 : 65535)) : 0);
  }
  if (bad < 0) throw malformed();
  return octets;
}

/** -1, 0 or 1: which comes first, octet by octet. */
export function compare(one, other) {
  for (let at = 0; at < Math.min(one.length, other.length); at += 1) {
    if (one[at] !== other[at]) return one[at] < other[at] ? -1 : 1;
  }
  return Math.sign(one.length - other.length);
}

/** Canonical JSON (RFC 8785) of texts, integers, truth values, lists and objects. */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const names = Object.keys(value).filter((name) => value[name] !== undefined).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
}

/** Takes octets apart from their beginning; throws `Refused` where there are too few. */
export class Reader {
  constructor(octets) {
    this.octets = octets;
    this.at = 0;
  }

  /** A view of them: who keeps it for long takes a copy. */
  take(size) {
    if (this.at + size > this.octets.length) throw malformed();
    this.at += size;
    return this.octets.subarray(this.at - size, this.at);
  }

  /** Octets as base64url: as hashes are compared here. */
  name(size) {
    return encode(this.take(size));
  }

  /** An integer of `size` octets, below 2^53. */
  number(size = 8) {
    let value = 0;
    for (const octet of this.take(size)) value = value * 256 + octet;
    if (value >= 2 ** 53) throw malformed();
    return value;
  }

  text(most) {
    const size = this.number(2);
    if (size > most) throw malformed();
    return fromUtf8(this.take(size));
  }

  rest() {
    return this.take(this.octets.length - this.at);
  }

  /** There is nothing more. */
  end() {
    if (this.at !== this.octets.length) throw malformed();
  }
}
