/** How octets are laid out: numbers are big-endian, texts and lists have their length before them. */

import { malformed } from "./refused.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const VALUES = new Int8Array(128).fill(-1);
[...ALPHABET].forEach((character, value) => { VALUES[character.charCodeAt(0)] = value; });

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
  const octets = parts.map((part) => (typeof part === "string" ? utf8(part) : part));
  const whole = new Uint8Array(octets.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of octets) {
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
  let out = "";
  for (let at = 0; at < octets.length; at += 3) {
    const left = octets.length - at;
    const bits = (octets[at] << 16) | ((octets[at + 1] ?? 0) << 8) | (octets[at + 2] ?? 0);
    out += ALPHABET[bits >> 18] + ALPHABET[(bits >> 12) & 63];
    if (left > 1) out += ALPHABET[(bits >> 6) & 63];
    if (left > 2) out += ALPHABET[bits & 63];
  }
  return out;
}

/** The octets of a text, which is the only one that stands for them; throws `Refused`. `size` where it is known. */
export function decode(data, size = null) {
  const whole = Math.floor((data.length * 3) / 4);
  if (data.length % 4 === 1 || (size !== null && whole !== size)) throw malformed();
  const octets = new Uint8Array(whole);
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let place = 0; place < data.length; place += 1) {
    const code = data.charCodeAt(place);
    const value = code < 128 ? VALUES[code] : -1;
    if (value < 0) throw malformed();
    bits = ((bits << 6) | value) & 0xffff;
    held += 6;
    if (held >= 8) {
      held -= 8;
      octets[at] = (bits >> held) & 255;
      at += 1;
    }
  }
  if (bits & ((1 << held) - 1)) throw malformed();
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

  take(size) {
    if (this.at + size > this.octets.length) throw malformed();
    this.at += size;
    return this.octets.slice(this.at - size, this.at);
  }

  /** Octets as base64url: as hashes are compared here. */
  name(size) {
    return encode(this.take(size));
  }

  /** An integer of `size` octets, below 2^53. */
  number(size = 8) {
    const value = this.take(size).reduce((all, octet) => all * 256 + octet, 0);
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
