import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { engineOf } from "../support/databases/engines.ts";
import { FaultProxy } from "../support/databases/fault-proxy.ts";
import { freshEmail, PASSWORD } from "../support/requests/people.ts";
import { systemProgram } from "../support/runs/system-program.ts";
import { atTerminal, intoClosedPipe, latchkey, start } from "../support/servers/command-line.ts";
import { deadPort, freePort } from "../support/servers/free-port.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const NOBODY = 65_534;
const script = await systemProgram("script", "bsdutils");

let cwd = "";
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "latchkey-cli-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));
const run = (words: string[], input?: string) =>
  latchkey(words, { cwd, ...(input === undefined ? {} : { input }) });

async function createAccount(): Promise<string> {
  const email = freshEmail();
  expect(await run(["accounts", "create", email, "--password-stdin"], PASSWORD)).toMatchObject({ code: 0 });
  return email;
}

const emails = async () =>
  (JSON.parse((await run(["accounts", "list", "--json"])).out) as { email: string }[]).map(
    ({ email }) => email,
  );

test.each(["--version", "-V"])("%s prints the version of the package", async (flag) => {
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
  expect(await run([flag])).toEqual({ code: 0, out: `${version}\n`, err: "" });
});

describe("A typing mistake is answered with what is close to it, and exit code 2", () => {
  test.each([
    [["sesions", "list"], "sessions"],
    [["sessions", "lst"], "list"],
    [["accounts", "suspnd", "a@example.test"], "suspend"],
    [["sessions", "list", "--jsn"], "--json"],
    [["accounts", "create", "a@example.test", "--password-stdni"], "--password-stdin"],
  ])("%j: did you mean %s?", async (words, right) => {
    const { code, out, err } = await run(words);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(new RegExp(`did you mean ${right}\\?`, "i"));
  });

  test.each([[["sessions"]], [["sessions", "list", "more"]], [["accounts", "delete"]]])(
    "%j is incomplete, or has too many arguments",
    async (words) => {
      expect(await run(words)).toMatchObject({ code: 2, out: "" });
    },
  );
});

describe("A reader that goes away early does no harm", () => {
  test.each([[["doctor"]], [["accounts", "list"]], [["--help"]]])("%j ends quietly with 0", async (words) => {
    await createAccount();
    expect(await intoClosedPipe(words, { cwd })).toEqual({ code: 0, out: "", err: "" });
  });

  test("the work is done all the same", async () => {
    const email = await createAccount();
    expect(await intoClosedPipe(["accounts", "delete", email], { cwd })).toMatchObject({ code: 0, err: "" });
    expect(await emails()).toEqual([]);
  });
});

describe("In a folder without a database", () => {
  test.each([
    [["sessions", "list"]],
    [["sessions", "end", "some-id"]],
    [["sessions", "end-all", "--everyone"]],
    [["accounts", "list", "--json"]],
    [["accounts", "suspend", "a@example.test"]],
    [["accounts", "delete", "a@example.test"]],
    [["accounts", "send-reset", "a@example.test"]],
    [["prune"]],
    [["backup", "b.db"]],
  ])("%j says where it looked, and creates nothing", async (words) => {
    const { code, out, err } = await run(words);
    expect([code, out]).toEqual([1, ""]);
    expect(err.trimEnd().split("\n")).toEqual([
      expect.stringContaining(join(cwd, "latchkey-data", "latchkey.db")),
    ]);
    expect(readdirSync(cwd)).toEqual([]);
  });

  test("doctor says so, too, along with what it can tell from the settings", async () => {
    const { code, out } = await run(["doctor"]);
    expect(code).toBe(1);
    expect(out).toContain(`fail  There is no database at ${join(cwd, "latchkey-data", "latchkey.db")}.`);
    expect(out).toContain("ok    BASE_URL is http://localhost:3000.");
    expect(readdirSync(cwd)).toEqual([]);
  });

  test("migrate makes one", async () => {
    expect(await run(["migrate"])).toMatchObject({ code: 0 });
    expect(await run(["sessions", "list"])).toMatchObject({ code: 0 });
  });
});

describe("accounts delete", () => {
  test("without a terminal deletes without asking", async () => {
    const email = await createAccount();
    expect(await run(["accounts", "delete", email])).toEqual({
      code: 0,
      out: `Deleted ${email}.\n`,
      err: "",
    });
  });

  describe.skipIf(script === null)("on a terminal", () => {
    test.each([
      ["typing the address again deletes", (email: string) => email.toUpperCase(), false],
      ["typing another address deletes nothing", () => "somebody@example.test", true],
      ["just pressing Return deletes nothing", () => "", true],
    ])("%s", async (_what, typed, stays) => {
      const email = await createAccount();
      const input = `${typed(email)}\n`;
      const screen = await atTerminal(script ?? "", ["accounts", "delete", email], { cwd, input });
      expect(screen).toContain(
        `To delete ${email} and everything that belongs to it, type the address again: `,
      );
      expect(screen).toContain(stays ? "Nothing was deleted." : `Deleted ${email}.`);
      expect(await emails()).toEqual(stays ? [email] : []);
    });

    test("--yes deletes without asking", async () => {
      const email = await createAccount();
      const screen = await atTerminal(script ?? "", ["accounts", "delete", email, "--yes"], { cwd });
      expect(screen.trim()).toBe(`Deleted ${email}.`);
      expect(await emails()).toEqual([]);
    });
  });
});

describe("serve, while PostgreSQL can't be reached", () => {
  test("says that it waits, and that it is ready only once the database has answered", async () => {
    const database = await engineOf("postgres").createDatabase();
    const proxy = await FaultProxy.start(new URL(database.url), "refuse");
    const port = await freePort();
    const env = {
      PORT: String(port),
      DATABASE_URL: proxy.through(database.url),
      LATCHKEY_SECRET_KEY: randomBytes(32).toString("hex"),
    };
    const child = start(["serve"], { cwd, env });
    try {
      let out = "";
      child.stdout?.on("data", (chunk: Buffer) => {
        out += chunk.toString();
      });
      await untilSaid(child.stderr, "Waiting for the database");
      await untilSaid(child.stderr, "Waiting for the database");
      expect(out).toBe("");
      expect((await fetch(`http://localhost:${port}/readyz`)).status).toBe(503);
      proxy.fault = "none";
      await untilSaid(child.stdout, `Latchkey is ready at http://localhost:${port}`);
      expect((await fetch(`http://localhost:${port}/readyz`)).status).toBe(200);
    } finally {
      child.kill("SIGTERM");
      const [code] = await once(child, "close");
      expect(code).toBe(0);
      await proxy.stop();
      await database.drop();
    }
  });

  test.each([
    ["that refuses", async () => `127.0.0.1:${await deadPort()}`, "The database did not answer"],
    ["whose name is not known yet", () => "postgres.invalid", "DATABASE_URL: the server's name is not known"],
  ])("waits for one %s, and stops at once when told to, with exit code 0", async (_one, host, why) => {
    const env = {
      PORT: String(await freePort()),
      DATABASE_URL: `postgres://nobody@${await host()}/nothing`,
      LATCHKEY_SECRET_KEY: randomBytes(32).toString("hex"),
    };
    const child = start(["serve"], { cwd, env });
    const out = text(child.stdout ?? process.stdin);
    await untilSaid(child.stderr, `Waiting for the database. ${why}`);
    child.kill("SIGTERM");
    expect(await once(child, "close")).toEqual([0, null]);
    expect(await out).toBe("");
  });
});

describe("restore", () => {
  test("reads a backup where it may not write, and leaves nothing beside it", async () => {
    const email = await createAccount();
    const shelf = join(cwd, "shelf");
    mkdirSync(shelf);
    expect(await run(["backup", join(shelf, "b.db")])).toMatchObject({ code: 0 });
    const there = join(cwd, "there");
    mkdirSync(there);
    // Root may write everywhere, so another user restores then.
    const user = process.getuid?.() === 0 ? NOBODY : undefined;
    if (user !== undefined) {
      for (const path of [cwd, there, join(shelf, "b.db"), join(shelf, "b.db.key")])
        chownSync(path, user, user);
    }
    chmodSync(shelf, 0o555);
    const where = { cwd: there, ...(user === undefined ? {} : { user }) };
    expect(await latchkey(["restore", join(shelf, "b.db")], where)).toMatchObject({ code: 0, err: "" });
    expect((await latchkey(["accounts", "list"], where)).out).toContain(email);
    expect(readdirSync(shelf).sort()).toEqual(["b.db", "b.db.key"]);
    expect(readdirSync(join(there, "latchkey-data")).sort()).toEqual(["latchkey.db", "latchkey.key"]);
    chmodSync(shelf, 0o755);
  });

  test("of a file that is no backup leaves nothing anywhere", async () => {
    await createAccount();
    const before = readdirSync(join(cwd, "latchkey-data"));
    const own = join(ROOT, "package.json");
    expect(await run(["restore", own])).toMatchObject({
      code: 1,
      err: `${own} is not a backup of Latchkey.\n`,
    });
    expect(readdirSync(join(cwd, "latchkey-data"))).toEqual(before);
  });
});

async function untilSaid(stream: NodeJS.ReadableStream | null, words: string): Promise<void> {
  let said = "";
  while (!said.includes(words)) {
    const [chunk] = await once(stream ?? process.stdin, "data");
    said += String(chunk);
  }
}
