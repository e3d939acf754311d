import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { latchkey } from "../support/servers/command-line.ts";

/** Root may read and write everywhere, so another user does it then. */
const OTHER_USER = process.getuid?.() === 0 ? { user: 65_534 } : {};
const ACCOUNTS = 130_000;
const LONGEST_LINE = 10_000_000;

let cwd = "";
let file = "";
beforeEach(async () => {
  cwd = mkdtempSync(join(tmpdir(), "latchkey-files-"));
  chmodSync(cwd, 0o755);
  file = join(cwd, "latchkey-data", "latchkey.db");
  expect(await run("migrate")).toMatchObject({ code: 0 });
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const run = (...words: string[]) => latchkey(words, { cwd });
const runAsOther = (...words: string[]) => latchkey(words, { cwd, ...OTHER_USER });
const jsonLines = (...lines: string[]) => writeFileSync(join(cwd, "people.jsonl"), lines.join("\n"));
const runImport = async () => {
  const { code, out } = await run("import", "--from", "json-lines", "people.jsonl", "--json");
  return { code, ...(JSON.parse(out) as { accounts: number; leftOut: { where: string; why: string }[] }) };
};

test("A list may be as long as the number of accounts", async () => {
  const database = new DatabaseSync(file);
  database.exec(`insert into account (id, email, email_key, created_at)
    with recursive n(n) as (select 1 union all select n + 1 from n where n < ${ACCOUNTS})
    select 'a' || n, n || '@example.test', n || '@example.test', 1 from n`);
  database.close();
  const { code, out, err } = await run("accounts", "list", "--limit", "999999");
  expect([code, err]).toEqual([0, ""]);
  expect(out.split("\n")).toHaveLength(ACCOUNTS + 2);
});

describe("A file with accounts", () => {
  test("that this user may not read is refused in one line", async () => {
    jsonLines('{"email":"a@example.test"}');
    chmodSync(join(cwd, "people.jsonl"), 0o000);
    const own = { cwd: join(cwd, "own"), ...OTHER_USER };
    mkdirSync(own.cwd);
    if (OTHER_USER.user !== undefined) chownSync(own.cwd, OTHER_USER.user, OTHER_USER.user);
    const people = join(cwd, "people.jsonl");
    expect(await latchkey(["import", "--from", "json-lines", people], own)).toEqual({
      code: 1,
      out: "",
      err: `${people} can't be read (EACCES).\n`,
    });
  });

  test("has lines that end where JSON lines do, not at a line separator within a string", async () => {
    const [token, expiresAt] = ["t".repeat(40), Date.now() + 1_000_000];
    const sessions = [{ token, expiresAt, userAgent: "one\u2028two" }];
    jsonLines(JSON.stringify({ email: "a@example.test", sessions }), '{"email":"b@example.test"}\r', "");
    expect(await runImport()).toMatchObject({ code: 0, accounts: 2, leftOut: [] });
  });

  test("may have a line of any length: that one is left out", async () => {
    const endless = `{"email":"b@example.test","passwordHash":"${"a".repeat(LONGEST_LINE)}"}`;
    jsonLines('{"email":"a@example.test"}', endless, '{"email":"c@example.test"}');
    expect(await runImport()).toMatchObject({
      code: 1,
      accounts: 2,
      leftOut: [{ where: "line 2", why: "It is too long; each line holds one account." }],
    });
  });
});

describe("backup", () => {
  test("of a damaged database leaves nothing behind and exits with 1, so that nobody relies on it", async () => {
    const bytes = readFileSync(file);
    bytes.fill(0xa5, bytes.length / 2);
    writeFileSync(file, bytes);
    const { code, out, err } = await run("backup", "copy.db");
    expect([code, out, err]).toEqual([1, "", `${file} is damaged; nothing was changed.\n`]);
    expect(readdirSync(cwd)).toEqual(["latchkey-data"]);
  });

  test("of another program's database leaves nothing behind and exits with 1", async () => {
    const other = join(cwd, "other.db");
    const database = new DatabaseSync(other);
    database.exec("create table account (id int)");
    database.close();
    const env = { DATABASE_URL: `sqlite:${other}` };
    expect(await latchkey(["backup", "copy.db"], { cwd, env })).toEqual({
      code: 1,
      out: "",
      err: `${other} is not a database of Latchkey.\n`,
    });
    expect(existsSync(join(cwd, "copy.db"))).toBe(false);
  });
});

describe("Another user than the server's", () => {
  test.each([
    ["accounts", "list"],
    ["backup", "copy.db"],
    ["sessions", "list"],
  ])("is told so by %s %s", async (...words) => {
    chmodSync(join(cwd, "latchkey-data"), 0o000);
    const { code, err } = await runAsOther(...words);
    chmodSync(join(cwd, "latchkey-data"), 0o700);
    expect(code).toBe(1);
    expect(err).toBe(
      `This user may not look into the folder of ${file}. Run this as the user that Latchkey runs as.\n`,
    );
  });

  test("who may not write files here is told so in one line", async () => {
    chmodSync(cwd, 0o555);
    const { code, err } = await runAsOther("init");
    chmodSync(cwd, 0o755);
    expect([code, err]).toEqual([1, "It can't be done: EACCES: permission denied, open '.env'.\n"]);
  });
});
