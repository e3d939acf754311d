import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { latchkey } from "../support/servers/command-line.ts";

/** Ends the process, as a power cut does, instead of the step of that number. */
const CUT_OFF = `
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
let left = Number(process.env.STEPS);
for (const name of ["renameSync", "linkSync"]) {
  const real = fs[name];
  fs[name] = (...paths) => {
    if (left-- === 0) process.kill(process.pid, "SIGKILL");
    return real(...paths);
  };
}
syncBuiltinESMExports();`;

let folder = "";
const at = (name: string) => join(folder, name);

/** A folder with a database and a key of its own, of one person with two-factor authentication. */
async function lives(name: string): Promise<void> {
  const file = at(`${name}.jsonl`);
  writeFileSync(file, JSON.stringify({ email: `${name}@example.test`, totpSecret: "JBSWY3DPEHPK3PXP" }));
  mkdirSync(at(name));
  expect(await latchkey(["import", file, "--from", "json-lines"], { cwd: at(name) })).toMatchObject({
    code: 0,
  });
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "latchkey-cut-off-"));

  writeFileSync(at("cut-off.mjs"), CUT_OFF);
  await lives("present");
  await lives("backup");
  expect(await latchkey(["backup", at("b.db")], { cwd: at("backup") })).toMatchObject({ code: 0 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("A restore that is cut off at any step leaves the database before it or the new one, with its key", async () => {
  const found: string[] = [];
  for (let steps = 0; ; steps += 1) {
    const cwd = at(`cut-off-${steps}`);
    cpSync(at("present"), cwd, { recursive: true });
    const env = { NODE_OPTIONS: `--import ${at("cut-off.mjs")}`, STEPS: String(steps) };
    const { code } = await latchkey(["restore", at("b.db")], { cwd, env });
    expect([null, 0]).toContain(code);
    const doctor = await latchkey(["doctor"], { cwd });
    expect(doctor.out, `${steps} steps`).toMatch(/^ok\s+The key opens all second factors \(1\)\.$/m);
    found.push((await latchkey(["accounts", "list"], { cwd })).out.includes("backup@") ? "new" : "before");
    const again = await latchkey(["restore", at("b.db")], { cwd });
    expect(again.code, `${steps} steps`).toBe(0);
    expect((await latchkey(["doctor"], { cwd })).out).toMatch(
      /^ok\s+The key opens all second factors \(1\)\.$/m,
    );
    if (code === 0) break;
  }
  expect(found.length).toBeGreaterThan(2);
  expect([found[0], found.at(-1)]).toEqual(["before", "new"]);
});

test("A restore with a key that is none says so and changes nothing", async () => {
  writeFileSync(at("none.db"), readFileSync(at("b.db")));
  writeFileSync(at("none.db.key"), "not a key");
  const cwd = at("refused");
  cpSync(at("present"), cwd, { recursive: true });
  const { code, err } = await latchkey(["restore", at("none.db")], { cwd });
  expect(code).toBe(1);
  expect(err).toMatch(/^\S+none\.db\.key takes 32 bytes in hex or base64.*\n$/);
  expect((await latchkey(["accounts", "list"], { cwd })).out).toContain("present@");
});
