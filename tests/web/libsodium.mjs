/**
 * libsodium as the tests have installed it (tests/e2e/registries.py), handed to the module under test: to the one that
 * SECURE names, as a test does that takes a defence out of it (tests/test_secure_defences_javascript.py), if that is set.
 */

const MODULES = "../../.make/secure/node_modules";
const { default: sodium } = await import(`${MODULES}/libsodium-wrappers-sumo/dist/modules-sumo-esm/libsodium-wrappers.mjs`);
await sodium.ready;

/** A module in a folder of them: `load(folder)("envelope")`. */
export async function load(folder) {
  const part = (name) => import(`${folder}/${name}.js`);
  (await part("index")).use(sodium);
  return part;
}

export const part = await load(process.env.SECURE ?? "../../safeum_home/web/secure");
export const secure = await part("index");
export const { default: zxcvbn } = await import(`${MODULES}/zxcvbn/lib/main.js`);
export { sodium };
