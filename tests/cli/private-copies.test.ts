import { chmodSync, copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { latchkey, type Ran } from "../support/servers/command-line.ts";

const ROWS = 8_000;

describe("A copy of the embedded database", () => {
  let cwd = "";
  const data = (file: string) => join(cwd, "latchkey-data", file);
  beforeAll(async () => {
    cwd = mkdtempSync(join(tmpdir(), "latchkey-cli-"));
    await latchkey(["migrate"], { cwd });
    fill(data("latchkey.db"));
  });
  afterAll(() => rmSync(cwd, { recursive: true, force: true }));

  test("can't be read by anyone else at any moment while a backup is written, and neither can its key", async () => {
    const { ran, seen } = await watching(cwd, /^b\.db/, latchkey(["backup", "b.db"], { cwd }));
    expect(ran.err).not.toContain("Error");
    expect(ran.code).toBe(0);
    expect([...seen.keys()].some((name) => name !== "b.db" && name !== "b.db.key")).toBe(true);
    expect(othersMay(seen)).toEqual([]);
  });

  test("can't be read by anyone else while it is restored, however open the backup was", async () => {
    copyFileSync(join(cwd, "b.db"), join(cwd, "open.db"));
    copyFileSync(join(cwd, "b.db.key"), join(cwd, "open.db.key"));
    for (const file of ["open.db", "open.db.key"]) chmodSync(join(cwd, file), 0o644);
    const folder = join(cwd, "latchkey-data");
    const { ran, seen } = await watching(folder, /^latchkey\./, latchkey(["restore", "open.db"], { cwd }));
    expect(ran.code).toBe(0);
    expect(seen.has("latchkey.db")).toBe(true);
    expect(othersMay(seen)).toEqual([]);
    expect(readFileSync(data("latchkey.key"))).toEqual(readFileSync(join(cwd, "b.db.key")));
  });

  test("says why it comes without a key: there is none, or it is in the settings", async () => {
    const folder = mkdtempSync(join(tmpdir(), "latchkey-cli-"));
    const env = { LATCHKEY_SECRET_KEY: "ab".repeat(32) };
    await latchkey(["migrate"], { cwd: folder, env });
    expect(await latchkey(["backup", "b.db"], { cwd: folder, env })).toMatchObject({
      code: 0,
      err: expect.stringMatching(/^LATCHKEY_SECRET_KEY is set and is not in the backup\./),
    });
    expect(await latchkey(["backup", "c.db"], { cwd: folder })).toMatchObject({
      code: 0,
      err: expect.stringMatching(/^There is no key file .*latchkey\.key, so none is in the backup\./),
    });
    rmSync(folder, { recursive: true, force: true });
  });

  test("never writes over the key of an earlier backup", async () => {
    rmSync(join(cwd, "b.db"));
    expect(await latchkey(["backup", "b.db"], { cwd })).toMatchObject({
      code: 1,
      err: expect.stringMatching(/b\.db\.key exists already.*\n$/),
    });
    expect(readdirSync(cwd)).not.toContain("b.db");
  });
});

/** Big enough that writing it takes many steps. */
function fill(file: string): void {
  using open = new DatabaseSync(file);
  open.exec("insert into account (id, email, email_key, created_at) values ('a', 'a@b.test', 'a@b.test', 0)");
  open.exec(`with recursive n(n) as (select 1 union all select n + 1 from n where n < ${ROWS})
    insert into activity (id, account_id, kind, at, label, detail)
    select printf('%026d', n), 'a', 'signed_in', 0, 'x', '{"x":"' || hex(randomblob(4000)) || '"}' from n`);
}

/** Looks at the files of these names, again and again, until the command is done: the modes that each was seen with. */
async function watching(
  folder: string,
  names: RegExp,
  running: Promise<Ran>,
): Promise<{ ran: Ran; seen: Map<string, Set<number>> }> {
  const seen = new Map<string, Set<number>>();
  let isOver = false;
  const done = running.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    for (const name of readdirSync(folder).filter((one) => names.test(one))) {
      const mode = statSync(join(folder, name), { throwIfNoEntry: false })?.mode;
      if (mode !== undefined) seen.set(name, (seen.get(name) ?? new Set()).add(mode & 0o777));
    }
    await nextTurn();
  }
  return { ran: await done, seen };
}

function othersMay(seen: Map<string, Set<number>>): string[] {
  return [...seen].flatMap(([name, modes]) =>
    [...modes].filter((mode) => (mode & 0o077) !== 0).map((mode) => `${name} was ${mode.toString(8)}`),
  );
}
