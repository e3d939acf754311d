import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { jsonLines, runImport } from "../support/databases/imports.ts";
import { systemProgram } from "../support/runs/system-program.ts";
import { atTerminal, latchkey } from "../support/servers/command-line.ts";
import { serverOn } from "../support/servers/sqlite-server.ts";

const FROM = ["--from", "json-lines"];
const BAR = /[█░]{30} {1,3}\d+ % {2}[\d,]+ accounts/;
/** What removes the bar: back to the beginning of the line, and all of it cleared. */
const CLEARED = "\r\x1b[K";

const script = await systemProgram("script", "bsdutils");

describe("The progress of an import", () => {
  const server = serverOn();
  const people = Array.from({ length: 10_050 }, (_none, at) => ({ email: `n${at}@example.test` }));

  test("is printed as lines if there is no terminal", async () => {
    const { err, out } = await runImport(server(), [...FROM, await jsonLines(server(), people), "--dry-run"]);
    expect(err).toMatch(/^10,000 accounts \(\d+ %\)\n$/);
    expect(out).toContain("Would import 10,050 accounts");
  });

  describe.skipIf(script === null)("is a bar on a terminal", () => {
    const run = async (lines: unknown[], words: string[] = []) => {
      const { database, secretKey } = server();
      const file = await jsonLines(server(), lines);
      const env = { DATABASE_URL: database.url, LATCHKEY_SECRET_KEY: secretKey };
      return atTerminal(script ?? "", ["import", ...FROM, file, ...words], { cwd: database.folder, env });
    };

    test("that gives way to other output", async () => {
      const screen = await run([{ email: "no address" }, ...people], ["--dry-run"]);
      const [bars = "", last = ""] = screen.split("Would import 10,050 accounts");
      expect(bars).toMatch(BAR);
      expect(bars).toContain(`${CLEARED}line 1: left out.`);
      expect(bars.endsWith(CLEARED)).toBe(true);
      expect(last).not.toMatch(BAR);
    });

    test("that is removed if the import fails", async () => {
      const open = new DatabaseSync(server().database.url.replace("sqlite:", ""));
      open.exec(
        "create trigger full before insert on account begin select raise(abort, 'no room left'); end",
      );
      open.close();
      const [bars = "", failure = ""] = (await run(people)).split("Something broke");
      expect(bars).toMatch(BAR);
      expect(bars.endsWith(CLEARED)).toBe(true);
      expect(failure).toContain("no room left");
    });
  });

  test("says in its help what a dry run writes", async () => {
    const { out } = await latchkey(["import", "--help"], { cwd: server().database.folder });
    expect(out).toContain("Previews the import; writes no account.");
  });
});
