import fs, { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openLatchkey } from "../../src/latchkey.ts";
import { Client } from "../support/requests/client.ts";
import { freshEmail, PASSWORD } from "../support/requests/people.ts";
import { latchkey, start } from "../support/servers/command-line.ts";
import { freePort } from "../support/servers/free-port.ts";

/** Every write to it fails, as on a disk without room. */
const HAS_FULL_DISK = existsSync("/dev/full");

let cwd = "";
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "latchkey-full-disk-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

async function createAccount(): Promise<string> {
  const email = freshEmail();
  const made = await latchkey(["accounts", "create", email, "--password-stdin"], { cwd, input: PASSWORD });
  expect(made).toMatchObject({ code: 0 });
  return email;
}

describe.runIf(HAS_FULL_DISK)("A server goes on, and stops with exit code 0, if the disk is full for", () => {
  test.each(["stderr", "stdout"] as const)("its %s", async (full) => {
    const port = await freePort();
    const baseUrl = `http://localhost:${port}`;
    const child = start(["serve"], { cwd, env: { PORT: String(port), BASE_URL: baseUrl }, full });
    const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
    const client = new Client({ baseUrl, port });
    try {
      const health = async () => (await client.get("/healthz").catch(() => null))?.status;
      await expect.poll(health).toBe(200);
      // Each refusal is a line in the log.
      for (const email of [freshEmail(), freshEmail()])
        expect((await client.post("/api/session", { email, password: PASSWORD })).status).toBe(401);
      expect(await health()).toBe(200);
    } finally {
      child.kill("SIGTERM");
    }
    expect(await exited).toBe(0);
  });
});

describe.runIf(HAS_FULL_DISK)("A command whose output can't be written", () => {
  test("does its work, reports the failure in one line, and exits with 1", async () => {
    const email = await createAccount();
    expect(await latchkey(["accounts", "delete", email], { cwd, full: "stdout" })).toEqual({
      code: 1,
      out: "",
      err: "Standard output can't be written (ENOSPC).\n",
    });
    expect((await latchkey(["accounts", "list", "--json"], { cwd })).out).toBe("[]\n");
  });
});

test("The log goes on once the disk has room again, however much was missed", async () => {
  const latchkey = await openLatchkey({ databaseUrl: `sqlite:${join(cwd, "latchkey.db")}` });
  const { log } = latchkey.parts;
  let hasRoom = false;
  let written = "";
  const writing = vi.spyOn(fs, "writeSync").mockImplementation((_fd, line) => {
    if (!hasRoom) throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
    written += line;
    return Buffer.byteLength(String(line));
  });
  try {
    const kilobyte = "x".repeat(1_000);
    for (let line = 0; line < 2_000; line++) log.info({ line: 1_000 + line }, kilobyte);
    hasRoom = true;
    // The first one finds the buffer full; it makes room for those after it.
    for (let line = 0; line < 2; line++) log.info({ line: 3_000 + line }, kilobyte);
  } finally {
    writing.mockRestore();
    await latchkey.close();
  }
  const lines = written.trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line).line)).toEqual([
    ...Array.from({ length: lines.length - 1 }, (_, index) => 1_000 + index),
    3_001,
  ]);
});
