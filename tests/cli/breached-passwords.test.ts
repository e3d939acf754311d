import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createLatchkey } from "../../src/index.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { expectProblem } from "../support/requests/expectations.ts";
import { expectStatus, freshEmail, resetToken } from "../support/requests/people.ts";
import { latchkey } from "../support/servers/command-line.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";

const LEAKED = "quartz-Lantern-burrow-58";
const LEAKED_HASHED = "velvet-Harbour-thistle-23";
const LEAKED_UMLAUT = "käfig-Ödland-überaus-77";
const NOT_LEAKED = "marble-Cactus-whistle-77";

const sha1 = (text: string) => createHash("sha1").update(text).digest("hex").toUpperCase();

/** As lists come: passwords, SHA-1 hashes with a count, line endings of other systems, repetitions. */
const LIST = [
  LEAKED,
  `${sha1(LEAKED_HASHED)}:3861493`,
  `${LEAKED_UMLAUT.normalize("NFD")}\r`,
  "",
  LEAKED,
  ...Array.from({ length: 3_000 }, (_, count) => `filler number ${count}`),
].join("\n");

async function build(folder: string, list: string) {
  writeFileSync(join(folder, "list.txt"), list);
  return latchkey(["breached-passwords", "build", "list.txt", "breached.bin"], { cwd: folder });
}

describeOnEachEngine("A password that is in LATCHKEY_BREACHED_PASSWORDS", (engine) => {
  let folder = "";
  let server: TestServer;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "latchkey-breached-"));
    expect(await build(folder, LIST)).toMatchObject({ code: 0 });
    server = await startServer({ engine, breachedPasswords: join(folder, "breached.bin") });
  });
  afterAll(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const signUpWith = (password: string) =>
    server.client().post("/api/accounts", { email: freshEmail(), password });

  it.each([
    ["as it is", LEAKED],
    ["as a SHA-1 hash with its count", LEAKED_HASHED],
    ["in another form of Unicode", LEAKED_UMLAUT],
  ])("opens no account, where the list has it %s", async (_how, password) => {
    const answer = await signUpWith(password);
    expectProblem(answer, 422, "weak_password");
    expect(answer.text).toContain("leaked");
  });

  it("isn't chosen by a change or a reset either, and others are", async () => {
    const client = server.client();
    const email = freshEmail();
    expectStatus(201, await client.post("/api/accounts", { email, password: NOT_LEAKED }));
    const change = { currentPassword: NOT_LEAKED, newPassword: LEAKED };
    expectProblem(await client.put("/api/account/password", change), 422, "weak_password");
    const token = await resetToken(server, email);
    expectProblem(
      await client.put("/api/password-resets", { token, password: LEAKED }),
      422,
      "weak_password",
    );
    expectStatus(204, await client.put("/api/password-resets", { token, password: `${NOT_LEAKED}!` }));
  });

  it("is found wherever it is in the file, and its neighbours aren't", async () => {
    const { strength } = server.latchkey.parts;
    const why = (password: string) => strength.whyWeak(password, []);
    for (let count = 0; count < 3_000; count += 37)
      expect(await why(`filler number ${count}`)).toContain("leaked");
    expect(await why("filler number 3000")).toBeNull();
  });
});

describe("latchkey breached-passwords build", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "latchkey-breached-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("says how many passwords are in the file, and leaves none of them readable in it", async () => {
    const { code, out } = await build(folder, LIST);
    expect([code, out]).toEqual([0, "Wrote breached.bin: 3,003 passwords, 24,040 bytes.\n"]);
    expect(readFileSync(join(folder, "breached.bin")).includes("filler")).toBe(false);
    expect(readdirSync(folder).sort()).toEqual(["breached.bin", "list.txt"]);
  });

  it("refuses a list that isn't there, or has nothing in it, in one line", async () => {
    const missing = await latchkey(["breached-passwords", "build", "none.txt", "out.bin"], { cwd: folder });
    expect(missing).toMatchObject({ code: 1, err: expect.stringMatching(/^none\.txt [^\n]+\n$/) });
    expect(await build(folder, "\n\n")).toMatchObject({
      code: 1,
      err: expect.stringContaining("no passwords"),
    });
    expect(readdirSync(folder)).toEqual(["list.txt"]);
  });

  it("says in one line that its file can't be written, before it reads the list", async () => {
    const nowhere = ["breached-passwords", "build", "none.txt", "nowhere/out.bin"];
    expect(await latchkey(nowhere, { cwd: folder })).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^There is no folder [^\n]+\n$/),
    });
  });

  it.each(["a list itself", "half a file", "no file"])("the start refuses %s", async (what) => {
    await build(folder, LIST);
    const file = join(folder, "breached.bin");
    if (what === "half a file") truncateSync(file, 1_000);
    const breachedPasswords =
      what === "half a file" ? file : join(folder, what === "no file" ? "x" : "list.txt");
    const databaseUrl = `sqlite:${join(folder, "latchkey.db")}`;
    const why = what === "no file" ? "can't be read" : "isn't one";
    await expect(createLatchkey({ databaseUrl, breachedPasswords, logLevel: "silent" })).rejects.toThrow(
      `LATCHKEY_BREACHED_PASSWORDS takes a whole file that \`latchkey breached-passwords build\` has written (${breachedPasswords} ${why}).`,
    );
  });
});
