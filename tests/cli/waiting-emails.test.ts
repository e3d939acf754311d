import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freshEmail, PASSWORD } from "../support/requests/people.ts";
import { latchkey } from "../support/servers/command-line.ts";
import { deadPort } from "../support/servers/free-port.ts";

describe("an email that a command could not send", () => {
  let cwd = "";
  let env: Record<string, string> = {};
  const run = (words: string[], input = "") => latchkey(words, { cwd, env, input });
  const inDatabase = (sql: string) => {
    const open = new DatabaseSync(join(cwd, "latchkey-data", "latchkey.db"));
    try {
      return open.prepare(sql).all();
    } finally {
      open.close();
    }
  };

  beforeEach(async () => {
    cwd = mkdtempSync(join(tmpdir(), "latchkey-cli-"));
    env = { SMTP_URL: `smtp://127.0.0.1:${await deadPort()}` };
    const email = freshEmail();
    expect((await run(["accounts", "create", email, "--password-stdin"], `${PASSWORD}\n`)).code).toBe(0);
    const sent = await run(["accounts", "send-reset", email]);
    expect(sent).toMatchObject({ code: 0, err: expect.stringContaining("could not be sent") });
    expect(sent.err).not.toContain(email);
    expect(sent.out).toBe(`A reset link for ${email} is on its way.\n`);
  });
  afterEach(() => rmSync(cwd, { recursive: true, force: true }));

  it("waits, and doctor says since when and why", async () => {
    const soon = await run(["doctor"]);
    expect(soon.out).not.toContain("1 email waits");
    inDatabase("update outgoing_email set created_at = created_at - 120000");
    expect((await run(["doctor"])).out).toMatch(
      /^warn\s+1 email waits to be sent, the oldest since \S+; a try failed with ECONNECTION/m,
    );
  });

  it("isn't sent again when an earlier backup is restored", async () => {
    const file = join(cwd, "backup.db");
    expect((await run(["backup", file])).code).toBe(0);
    expect((await run(["restore", file])).code).toBe(0);
    expect(inDatabase("select count(*) as count from account")).toEqual([{ count: 1 }]);
    expect(inDatabase("select * from outgoing_email")).toEqual([]);
  });
});
