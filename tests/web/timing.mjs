/** What a message of 200 octets costs in a group of 50, each side, amortised: the bench prints it, by tests/secure_timing.py. */

import { secure } from "./libsodium.mjs";
import { isSigned, sign } from "../../safeum_home/web/secure/sodium.js";

const [SIZE, EPOCH, ROUNDS] = [50, 100, Number(process.argv[2] ?? 20)];
const NOW = 1_800_000_000_000;
const TEXT = { kind: "text", text: "x".repeat(200) };
const letter = (at) => String.fromCharCode(97 + (at % 26));
const accounts = Array.from({ length: SIZE }, (_, at) => `@${letter(at).repeat(26)}:n${Math.floor(at / 26)}.example`);
const keys = accounts.map((account, at) => new secure.UniqueKey(account, new Uint8Array(32).fill(at)));

function program(at) {
  const people = new secure.People();
  keys.forEach((key, other) => { if (other !== at) people.told(key.account, key.public, NOW); });
  return new secure.SecureChat({ chat: `!${"e".repeat(26)}`, own: keys[at], people, now: () => NOW });
}

const told = ({ data, quiet }) => ({ sender: accounts[0], id: data.slice(-40), data, quiet });

/** Processor time of all threads, in microseconds, for each of so many. */
function spent(many, work) {
  const begun = process.cpuUsage();
  const made = Array.from({ length: many }, work);
  const { user, system } = process.cpuUsage(begun);
  return [made, (user + system) / many];
}

const middle = (values) => values.sort((one, other) => one - other)[Math.floor(values.length / 2)];

const [alice, bob] = [program(0), program(1)];
const [roster] = alice.admit(accounts).posts;
for (const each of [alice, bob]) each.take(told(roster));
const took = { say: [], take: [], sign: [], verify: [] };
let [received, epochs] = [0, 0];
const octets = new Uint8Array(600);
for (let round = 0; round < ROUNDS; round += 1) {
  const [steps, saying] = spent(EPOCH, () => alice.say(TEXT, "r"));
  const posts = steps.flatMap((each) => each.posts.map(told));
  const [events, taking] = spent(posts.length, (_, at) => bob.take(posts[at]).events);
  const [signatures, signing] = spent(EPOCH, () => sign(keys[0].signing, octets));
  const [, verifying] = spent(EPOCH, (_, at) => isSigned(keys[0].public.sign, signatures[at], octets));
  took.say.push(saying);
  took.take.push((taking * posts.length) / EPOCH);
  took.sign.push(signing);
  took.verify.push(verifying);
  received += events.flat().filter((each) => each.is === "received").length;
  epochs += posts.length - EPOCH;
}
const result = Object.fromEntries(Object.entries(took).map(([name, values]) => [name, middle(values)]));
process.stdout.write(`${JSON.stringify({ ...result, received, epochs })}\n`);
