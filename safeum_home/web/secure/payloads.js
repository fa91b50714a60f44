/** What people say in a secure chat: JSON that is sealed. It comes from somebody else, and is read strictly. */

import * as c from "./checks.js";
import { canonical, utf8 } from "./octets.js";
import { malformed, Reason, Refused } from "./refused.js";
import { parse } from "./strict_json.js";

export const MOST_OCTETS = 32000;
const written = (value) => c.aText(value, { least: 1, most: 8192 });
const mentions = (value = []) => optionalList(c.aList(value, c.account, 0, 20));
const sixteen = (value) => c.named(value, c.STREAM);
const pixels = (value) => c.anInteger(value, 1, 65535);
const reply = (value) => {
  const { hash, id } = c.anObject(value);
  return { hash: c.aHash(hash), id: c.optional(id, (each) => c.named(each, c.CURSOR)) };
};
const voice = (value) => {
  const { duration, wave = "" } = c.anObject(value);
  c.octets(wave, 128);
  return { duration: c.anInteger(duration), wave };
};
const caption = (value = "") => c.aText(value, { most: 8192 }) || undefined;
const preview = (value = "") => (c.octets(value, 8192).length ? value : undefined);

function optionalList(list) {
  return list.length ? list : undefined;
}

const SHAPES = {
  text: (p) => ({ text: written(p.text), mentions: mentions(p.mentions), reply: c.optional(p.reply, reply) }),
  edit: (p) => ({ message: c.aHash(p.message), text: written(p.text), mentions: mentions(p.mentions) }),
  reaction: (p) => ({
    message: c.aHash(p.message),
    emoji: c.optional(p.emoji, (each) => c.aText(each, { least: 1, most: 40 })),
  }),
  deletion: (p) => ({ messages: c.aList(p.messages, c.aHash, 1, 100) }),
  file: (p) => ({
    file: c.named(p.file, c.FILE),
    key: c.aHash(p.key),
    hash: c.aHash(p.hash),
    size: c.anInteger(p.size),
    name: c.aText(p.name, { least: 1, most: 255, pattern: c.FILE_NAME }),
    type: c.aText(p.type, { least: 1, most: 255, pattern: c.MEDIA_TYPE }),
    caption: caption(p.caption),
    preview: preview(p.preview),
    width: c.optional(p.width, pixels),
    height: c.optional(p.height, pixels),
    voice: c.optional(p.voice, voice),
    reply: c.optional(p.reply, reply),
  }),
  "compare.start": (p) => ({
    compare: sixteen(p.compare), to: c.aText(p.to, { most: 283 }), commitment: c.aHash(p.commitment),
  }),
  "compare.answer": (p) => ({ compare: sixteen(p.compare), key: c.aHash(p.key) }),
  "compare.reveal": (p) => ({ compare: sixteen(p.compare), key: c.aHash(p.key), nonce: c.aHash(p.nonce) }),
  "compare.done": (p) => ({ compare: sixteen(p.compare), same: c.truth(p.same) }),
};
const LOUD = new Set(["text", "file", "compare.start"]);

/** Whether it wakes nobody. */
export function isQuiet(payload) {
  return !LOUD.has(payload.kind);
}

function shaped(payload) {
  const shape = SHAPES[payload.kind](payload);
  const whole = { kind: payload.kind };
  for (const name in shape) if (shape[name] !== undefined) whole[name] = shape[name];
  return whole;
}

/** Throws `Refused`: MALFORMED for what others would not read, TOO_LARGE. */
export function encode(payload) {
  if (!Object.hasOwn(SHAPES, payload.kind)) throw malformed();
  const octets = utf8(canonical(shaped(payload)));
  if (octets.length > MOST_OCTETS) throw new Refused(Reason.TOO_LARGE);
  return octets;
}

/** The payload; of a kind that is not known `{unknown, text}`. Throws `Refused`. */
export function decode(octets) {
  if (octets.length > MOST_OCTETS) throw malformed();
  const payload = parse(octets);
  c.anObject(payload);
  const kind = c.aText(payload.kind, { least: 1, most: 64 });
  if (Object.hasOwn(SHAPES, kind)) return shaped(payload);
  const text = typeof payload.text === "string" ? [...payload.text].slice(0, 8192).join("") : "";
  return { unknown: kind, text };
}
