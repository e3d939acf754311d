import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..");
/** This Node without what was added in 24.7; `npm run check:package` asks real old ones. */
const WITHOUT_ARGON2 =
  'data:text/javascript,import crypto from "node:crypto"; import { syncBuiltinESMExports as sync } from "node:module"; delete crypto.argon2; sync();';
/** This Node under the name of another runtime. */
const ANOTHER =
  'data:text/javascript,Object.defineProperty(process, "versions", { value: { ...process.versions, bun: "1.4.5" } });';
const APP = `import { createLatchkey } from "${join(ROOT, "dist", "index.js")}"; await createLatchkey().catch((error) => console.log(error.message));`;

test("On a Node that is too old, an app is told in one sentence what is needed", async () => {
  const args = ["--import", WITHOUT_ARGON2, "--input-type=module", "--eval", APP];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args);
  expect(stderr).toBe("");
  expect(stdout).toMatch(/^Latchkey needs Node\.js 24\.7 or newer .*, and this is Node\.js [\d.]+\.\n$/);
});

test("On another runtime, an app and the command line are told in one sentence that Node.js is needed", async () => {
  const args = ["--import", ANOTHER, "--input-type=module", "--eval", APP];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  expect(stdout).toBe("Latchkey needs Node.js itself, and this is Bun 1.4.5.\n");
  const command = ["--import", ANOTHER, join(ROOT, "bin", "latchkey.js"), "--version"];
  await expect(promisify(execFile)(process.execPath, command)).rejects.toMatchObject({
    code: 1,
    stderr: "Latchkey needs Node.js itself. Start it with node, npm or npx.\n",
  });
});
