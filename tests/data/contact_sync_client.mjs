// A client of contact sync, written from docs/contact-sync.md on @noble/curves and Node's own AES.
//
//   node contact_sync_client.mjs NODE_NAME NUMBER...
//
// One JSON-RPC request a line on standard output, one answer a line on standard input. The last line out is
// {"found": {number: account}}.
import { createDecipheriv } from "node:crypto";
import { createInterface } from "node:readline";
import { ristretto255_oprf } from "@noble/curves/ed25519.js";

const { oprf } = ristretto255_oprf;
const [node, ...numbers] = process.argv.slice(2);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const base64 = (octets) => Buffer.from(octets).toString("base64");
let id = 0;

async function ask(method, params) {
  process.stdout.write(JSON.stringify({ jsonrpc: "2.0", id: ++id, method, params }) + "\n");
  const answer = JSON.parse((await lines.next()).value);
  if (answer.error) throw new Error(answer.error.data.code);
  return answer.result;
}

function base32(octets) {
  let bits = [...octets].map((octet) => octet.toString(2).padStart(8, "0")).join("");
  bits = bits.padEnd(Math.ceil(bits.length / 5) * 5, "0");
  return bits.match(/.{5}/g).map((five) => "abcdefghijklmnopqrstuvwxyz234567"[parseInt(five, 2)]).join("");
}

const { period, pages } = await ask("contacts.directory", {});
const inputs = numbers.map((number) => Buffer.from(number, "ascii"));
const blinded = inputs.map((input) => oprf.blind(input));
const { points } = await ask("contacts.sync", { period, points: blinded.map((each) => base64(each.blinded)) });
const outputs = inputs.map((input, i) =>
  Buffer.from(oprf.finalize(input, blinded[i].blind, Buffer.from(points[i], "base64"))));

const entries = new Map();
for (const page of pages.keys()) {
  const octets = Buffer.from((await ask("contacts.page", { period, page })).entries, "base64");
  for (let at = 0; at < octets.length; at += 24) {
    entries.set(octets.subarray(at, at + 8).toString("hex"), octets.subarray(at + 8, at + 24));
  }
}
const found = {};
for (const [i, output] of outputs.entries()) {
  const sealed = entries.get(output.subarray(0, 8).toString("hex"));
  if (sealed === undefined) continue;
  const cipher = createDecipheriv("aes-256-ecb", output.subarray(32), null).setAutoPadding(false);
  found[numbers[i]] = `@${base32(Buffer.concat([cipher.update(sealed), cipher.final()]))}:${node}`;
}
process.stdout.write(JSON.stringify({ found }) + "\n");
process.exit(0);
