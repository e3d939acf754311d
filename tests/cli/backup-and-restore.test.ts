import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { latchkey, start } from "../support/servers/command-line.ts";

const PEOPLE = 10_050;

let cwd = "";
let file = "";
beforeEach(async () => {
  cwd = mkdtempSync(join(tmpdir(), "latchkey-restore-"));
  file = join(cwd, "latchkey-data", "latchkey.db");
  expect(await run("migrate")).toMatchObject({ code: 0 });
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const run = (...words: string[]) => latchkey(words, { cwd });

function inDatabase<T>(of: string, work: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(of);
  try {
    return work(database);
  } finally {
    database.close();
  }
}

/** This many people, each with one live session. */
function addPeople(count: number): void {
  inDatabase(file, (database) =>
    database.exec(`insert into account (id, email, email_key, created_at)
        with recursive n(n) as (select 1 union all select n + 1 from n where n < ${count})
        select 'a' || n, n || '@example.test', n || '@example.test', 1 from n;
      insert into session (token_hash, id, account_id, label, created_at, expires_at, last_used_at,
          signed_in_with, method_id, proved_at)
        select randomblob(32), 's' || id, id, 'Firefox', 1, ${Date.now() + 1_000_000}, 1, 'password', 'password', 1
        from account`),
  );
}

/** 20,000 accounts in 40 MB. */
function addWideAccounts(): void {
  inDatabase(file, (database) =>
    database.exec(`insert into account (id, email, email_key, created_at, created_label)
      with recursive n(n) as (select 1 union all select n + 1 from n where n < 20000)
      select 'a' || n, n || '@example.test', n || '@example.test', 1, hex(zeroblob(1000)) from n`),
  );
}

const sessionsIn = (of: string) =>
  inDatabase(of, (database) => database.prepare("select count(*) as count from session").get()?.count);

describe("restore", () => {
  test("that is cut off before every session has ended puts nothing in place", async () => {
    addPeople(1);
    expect(await run("backup", "b.db")).toMatchObject({ code: 0 });
    expect(await run("sessions", "end-all", "--everyone")).toMatchObject({ code: 0 });
    const cutOff =
      "create trigger cut_off before delete on session begin select raise(abort, 'cut off'); end";
    inDatabase(join(cwd, "b.db"), (database) => database.exec(cutOff));
    const before = readdirSync(join(cwd, "latchkey-data"));
    expect(await run("restore", "b.db")).toMatchObject({ code: 1, err: expect.stringContaining("cut off") });
    expect(sessionsIn(file)).toBe(0);
    expect(readdirSync(join(cwd, "latchkey-data"))).toEqual(before);
  });

  test("replaces a file that is no longer a database, and keeps it", async () => {
    addPeople(1);
    expect(await run("backup", "b.db")).toMatchObject({ code: 0 });
    for (const part of ["-wal", "-shm"]) rmSync(file + part, { force: true });
    writeFileSync(file, "not a database any more");
    const { code, out } = await run("restore", "b.db", "--json");
    expect(code).toBe(0);
    const { ended, kept } = JSON.parse(out) as { ended: number; kept: string };
    expect([ended, existsSync(kept)]).toEqual([1, true]);
    expect((await run("accounts", "list")).out).toContain("1@example.test");
  });

  test("leaves nothing beside the backup that SQLite would take for its own, if the database itself is gone", async () => {
    addPeople(1);
    expect(await run("backup", "b.db")).toMatchObject({ code: 0 });
    inDatabase(file, (database) => {
      database.exec("pragma wal_autocheckpoint = 0; update account set email = 'later@example.test'");
      // As a crash leaves it: closing the database would remove it.
      copyFileSync(`${file}-wal`, join(cwd, "log"));
    });
    rmSync(file);
    renameSync(join(cwd, "log"), `${file}-wal`);
    expect(JSON.parse((await run("restore", "b.db", "--json")).out)).toMatchObject({ ended: 1, kept: null });
    expect((await run("accounts", "list")).out).toContain("1@example.test");
  });

  test("and end-all report their progress, since many sessions take long", async () => {
    addPeople(PEOPLE);
    const said = /^10,[0-9]{3} sessions \(99 %\)\n$/;
    expect(await run("backup", "b.db")).toMatchObject({ code: 0 });
    const ending = await run("sessions", "end-all", "--everyone");
    expect(ending).toEqual({
      code: 0,
      out: `Ended ${PEOPLE.toLocaleString("en")} sessions.\n`,
      err: expect.stringMatching(said),
    });
    expect(await run("restore", "b.db")).toMatchObject({ code: 0, err: expect.stringMatching(said) });
  });
});

describe.skipIf(process.platform === "win32")("A signal", () => {
  const filesIn = (folder: string) => readdirSync(folder).join(" ");

  /** Sends it once a file of that name has appeared. */
  async function signal(name: NodeJS.Signals, words: string[], folder: string, file: RegExp) {
    const child = start(words, { cwd });
    const closed = once(child, "close");
    await expect.poll(() => filesIn(folder), { interval: 5 }).toMatch(file);
    child.kill(name);
    return closed;
  }

  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "%s ends a backup, and nothing of it is left",
    async (name) => {
      addWideAccounts();
      expect(await signal(name, ["backup", "b.db"], cwd, /draft/)).toEqual([null, name]);
      expect(readdirSync(cwd)).toEqual(["latchkey-data"]);
    },
  );

  test("ends a restore while it ends sessions, and the previous database stays as it was", async () => {
    addPeople(PEOPLE);
    expect(await run("backup", "b.db")).toMatchObject({ code: 0 });
    const folder = join(cwd, "latchkey-data");
    expect(await signal("SIGINT", ["restore", "b.db"], folder, /draft-\w+-wal/)).toEqual([null, "SIGINT"]);
    expect(filesIn(folder)).not.toMatch(/draft|before-restore/);
    expect(sessionsIn(file)).toBe(PEOPLE);
  });
});

test("A backup finishes however often a server writes meanwhile", async () => {
  addWideAccounts();
  const server = new DatabaseSync(file);
  server.exec("pragma synchronous = off; pragma busy_timeout = 5000");
  const write = server.prepare("update account set created_at = created_at + 1 where id = 'a1'");
  const writing = setInterval(() => write.run(), 1);
  const child = start(["backup", "b.db"], { cwd });
  try {
    expect(await once(child, "close")).toEqual([0, null]);
  } finally {
    child.kill("SIGKILL");
    clearInterval(writing);
    server.close();
  }
  const found = inDatabase(join(cwd, "b.db"), (database) =>
    database.prepare("select count(*) as count from account").get(),
  );
  expect(found?.count).toBe(20_000);
}, 30_000);
