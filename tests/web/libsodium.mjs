/** libsodium as the tests have installed it (tests/e2e/registries.py), handed to the module under test. */

import * as secure from "../../safeum_home/web/secure/index.js";

const MODULES = "../../.make/secure/node_modules";
const { default: sodium } = await import(`${MODULES}/libsodium-wrappers-sumo/dist/modules-sumo-esm/libsodium-wrappers.mjs`);
await sodium.ready;
secure.use(sodium);

export const { default: zxcvbn } = await import(`${MODULES}/zxcvbn/lib/main.js`);
export { secure, sodium };
