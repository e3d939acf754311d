import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { SMTPServer } from "smtp-server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freshEmail, PASSWORD } from "../support/requests/people.ts";
import { latchkey } from "../support/servers/command-line.ts";

describe("the command line", () => {
  let cwd = "";
  beforeAll(() => {
    cwd = mkdtempSync(join(tmpdir(), "latchkey-cli-"));
  });
  afterAll(() => rmSync(cwd, { recursive: true, force: true }));
  const run = (words: string[], input?: string, env?: Record<string, string>) =>
    latchkey(words, { cwd, ...(input === undefined ? {} : { input }), ...(env ? { env } : {}) });
  const create = (email: string) => run(["accounts", "create", email, "--password-stdin"], `${PASSWORD}\n`);

  it("helps with every command that it lists", async () => {
    const { out, code } = await run(["--help"]);
    expect(code).toBe(0);
    const names = [...out.matchAll(/^ {2}([a-z-]+(?: [a-z-]+)?)(?= {2}| [A-Z]+ )/gm)].map(
      ([, name]) => name ?? "",
    );
    expect(names).toEqual([
      "init",
      "serve",
      "migrate",
      "accounts list",
      "accounts create",
      "accounts suspend",
      "accounts restore",
      "accounts delete",
      "accounts send-reset",
      "accounts reset-two-factor",
      "sessions list",
      "sessions end",
      "sessions end-all",
      "import",
      "prune",
      "doctor",
      "backup",
      "restore",
      "breached-passwords build",
    ]);
    for (const name of names) {
      const help = await run([...name.split(" "), "--help"]);
      expect(help.code, name).toBe(0);
      expect(help.out).toContain(`Usage: latchkey ${name}`);
    }
  });

  it.each([[["nope"]], [["sessions", "end"]], [["sessions", "list", "--nope"]], [["sessions", "end-all"]]])(
    "answers %j with exit code 2 and where to read on",
    async (words) => {
      const { code, err, out } = await run(words);
      expect(code).toBe(2);
      expect(out).toBe("");
      expect(err).toMatch(/--help|takes --account EMAIL or --everyone/);
    },
  );

  it("creates, lists, suspends, restores and deletes accounts, and asks nothing without a terminal", async () => {
    const email = freshEmail();
    expect((await create(email)).code).toBe(0);
    expect(await create(email)).toMatchObject({
      code: 1,
      err: expect.stringContaining("already has an account"),
    });
    expect(await run(["accounts", "create", freshEmail()])).toMatchObject({
      code: 1,
      err: expect.stringContaining("--password-stdin"),
    });
    expect(await run(["accounts", "create", freshEmail(), "--password-stdin"], "short\n")).toMatchObject({
      code: 1,
    });
    const listed = async () =>
      JSON.parse((await run(["accounts", "list", "--json"])).out).find(
        (one: { email: string }) => one.email === email,
      );
    expect(await listed()).toMatchObject({ emailVerified: true, twoFactor: false, suspended: false });
    expect((await run(["accounts", "suspend", email])).code).toBe(0);
    expect(await listed()).toMatchObject({ suspended: true });
    expect((await run(["accounts", "restore", email])).code).toBe(0);
    expect(await listed()).toMatchObject({ suspended: false });
    expect(await run(["accounts", "reset-two-factor", email])).toMatchObject({
      code: 1,
      err: expect.stringContaining("not on"),
    });
    expect((await run(["accounts", "send-reset", email])).code).toBe(0);
    expect(readdirSync(join(cwd, "latchkey-data", "outbox")).length).toBeGreaterThan(0);
    expect((await run(["accounts", "delete", email])).code).toBe(0);
    expect(await listed()).toBeUndefined();
    expect(await run(["accounts", "delete", email])).toMatchObject({
      code: 1,
      err: expect.stringContaining("no account"),
    });
  });

  it("keeps the database, its key and its emails to this user alone", async () => {
    await create(freshEmail());
    for (const file of ["latchkey.db", "latchkey.key"]) {
      expect(statSync(join(cwd, "latchkey-data", file)).mode & 0o777, file).toBe(0o600);
    }
  });

  it("backs up with the key, and restores with every session ended and the old database kept", async () => {
    const email = freshEmail();
    await create(email);
    const { code } = await run(["backup", "b.db"]);
    expect(code).toBe(0);
    expect(statSync(join(cwd, "b.db")).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(cwd, "b.db.key"), "utf8")).toBe(
      readFileSync(join(cwd, "latchkey-data", "latchkey.key"), "utf8"),
    );
    expect(await run(["backup", "b.db"])).toMatchObject({
      code: 1,
      err: expect.stringContaining("exists already"),
    });
    await run(["accounts", "delete", email]);
    const restored = await run(["restore", "b.db"]);
    expect(restored).toMatchObject({ code: 0, out: expect.stringContaining("before-restore") });
    expect((await run(["accounts", "list"])).out).toContain(email);
    writeFileSync(join(cwd, "no.db"), "no database at all, but long enough to be looked at as one");
    expect(await run(["restore", "no.db"])).toMatchObject({
      code: 1,
      err: expect.stringContaining("not a backup"),
    });
    expect((await run(["accounts", "list"])).out).toContain(email);
  });

  it("examines itself", async () => {
    await create(freshEmail());
    const { code, out } = await run(["doctor", "--json", "--send-mail", "me@example.test"]);
    expect(code).toBe(0);
    const words = JSON.parse(out)
      .map(({ words }: { words: string }) => words)
      .join("\n");
    expect(words).toMatch(/can be read and written[\s\S]*me@example.test[\s\S]*BASE_URL[\s\S]*key file/);
  });

  it.each([
    [
      { BASE_URL: "https://app.example.test" },
      /^ok {4}.* works for 10 minutes at most\. A proxy in front must pass/m,
    ],
    [
      { BASE_URL: "https://login.example.test", LATCHKEY_COOKIE_DOMAIN: "example.test" },
      /^warn {2}Sessions aren't bound to devices, since LATCHKEY_COOKIE_DOMAIN/m,
    ],
    [
      { BASE_URL: "https://app.example.test", LATCHKEY_DEVICE_BINDING: "off" },
      /^warn {2}LATCHKEY_DEVICE_BINDING is off: a stolen cookie works elsewhere/m,
    ],
    [{ BASE_URL: "http://localhost:3000" }, /^ok {4}Sessions aren't bound to devices, since .* https only/m],
  ])("says whether sessions are bound to devices: %j", async (env, words) => {
    expect((await run(["doctor"], "", env)).out).toMatch(words);
  });

  it("sends no test email to an outbox that can't be written, and says that it can't", async () => {
    const LATCHKEY_OUTBOX = join(cwd, "no-folder");
    writeFileSync(LATCHKEY_OUTBOX, "");
    const { code, out } = await run(["doctor", "--send-mail", "me@example.test"], "", { LATCHKEY_OUTBOX });
    expect(code).toBe(1);
    expect(out).toContain(`fail  The outbox ${LATCHKEY_OUTBOX} can't be written.`);
    expect(out).not.toContain("SMTP_URL");
  });

  it("finds a mail server that doesn't encrypt, and says what to set", async () => {
    const server = new SMTPServer({ authOptional: true, disabledCommands: ["STARTTLS"], closeTimeout: 100 });
    server.listen(0);
    await once(server.server, "listening");
    // An address that isn't recognisably this machine's.
    const SMTP_URL = `smtp://0.0.0.0:${(server.server.address() as AddressInfo).port}`;
    const { code, out } = await run(["doctor"], "", { SMTP_URL });
    expect(code).toBe(1);
    expect(out).toMatch(/^fail .*STARTTLS.*\?tls=optional/m);
    const allowed = await run(["doctor"], "", { SMTP_URL: `${SMTP_URL}?tls=optional` });
    expect(allowed).toMatchObject({
      code: 0,
      out: expect.stringContaining("The mail server accepts email."),
    });
    await new Promise((resolve) => server.close(() => resolve(null)));
  });

  it.each([
    ["PORT", "abc"],
    ["DATABASE_URL", "mysql://x"],
    ["BASE_URL", "localhost"],
    ["BASE_URL", "https://*.example.com"],
    ["BASE_URL", "https://a.example.com,https://b.example.com"],
    ["BASE_URL", "http://localhost:3000/:name"],
    ["BASE_URL", "http://localhost:3000/a*"],
    ["BASE_URL", "http://localhost:3000/caf%C3%A9"],
    ["BASE_URL", "http://localhost:3000//auth"],
    ["LATCHKEY_SESSION_LIFETIME", "31d"],
    ["LATCHKEY_IDLE_TIMEOUT", "4m"],
    ["LATCHKEY_SECRET_KEY", "tooshort"],
    ["LATCHKEY_SECRET_KEY", ",,"],
    ["LATCHKEY_SECRET_KEY", `!${Buffer.alloc(32, 1).toString("base64")}`],
    ["LATCHKEY_IMPORTED_COOKIE", "two cookies"],
    ["LATCHKEY_IMPORTED_COOKIE", "__Host-latchkey"],
    ["LATCHKEY_COOKIE_NAME", "two cookies"],
    ["LATCHKEY_COOKIE_NAME", "__host-wiki"],
    ["LATCHKEY_COOKIE_NAME", "wiki-device"],
    ["LATCHKEY_COOKIE_NAME", "wiki-bound"],
    ["LATCHKEY_COOKIE_NAME", "w".repeat(33)],
    ["LATCHKEY_SIGN_UP", "maybe"],
    ["LATCHKEY_NAME", "n".repeat(65)],
    ["LATCHKEY_NAME", "turned\u202earound"],
    ["LATCHKEY_LOGO", "./logo.html"],
    ["LATCHKEY_LOGO", "./none.svg"],
    ["LATCHKEY_ACCENT", "red;}"],
    ["LATCHKEY_TERMS_URL", "javascript:alert(1)"],
    ["LATCHKEY_PRIVACY_URL", "/privacy"],
    ["LATCHKEY_SUPPORT", "data:text/html,x"],
    ["LATCHKEY_SUPPORT", "a@b.test?subject=x"],
    ["LATCHKEY_TRUSTED_PROXIES", "10.0.0.0/99"],
    ["LATCHKEY_RETURN_ORIGINS", "https://*.example.com"],
    ["LATCHKEY_RETURN_ORIGINS", "https://a!.example.com"],
    ["LATCHKEY_PRUNE_INTERVAL", "31d"],
    ["MAIL_FROM", "nope"],
    ["MAIL_FROM", "X <>"],
    ["MAIL_FROM", "a@example.com, b@example.com"],
    ["MAIL_FROM", "Acme, Inc. <a@example.com>"],
    ["MAIL_FROM", "Acme <nö@example.com>"],
    ["SMTP_URL", "smtp://"],
    ["SMTP_URL", "smtp://post:s3cret@mail.example.com?tls=off"],
    ["SMTP_URL", "smtp://post:s3cret@mail.example.com?tls=optional&tls="],
    ["LATCHKEY_COOKIE_DOMAIN", "localhost"],
    ["LATCHKEY_COOKIE_DOMAIN", "127.0.0.5"],
    ["LATCHKEY_COOKIE_DOMAIN", "0.0.5"],
  ])("names %s if its value is wrong, in one line, and never prints a secret: %s", async (name, value) => {
    const BASE_URL = "http://127.0.0.5:3000";
    const { code, err, out } = await run(["serve"], "", { BASE_URL, [name]: value });
    expect(code).toBe(1);
    expect(out).toBe("");
    expect(err.trim().split("\n")).toHaveLength(1);
    expect(err).toContain(name);
    if (name === "LATCHKEY_SECRET_KEY") expect(err).not.toContain(value);
    expect(err).not.toContain("s3cret");
  });

  it("reads a .env that begins with a byte order mark, and says if it isn't a file", async () => {
    const folder = mkdtempSync(join(tmpdir(), "latchkey-cli-"));
    writeFileSync(join(folder, ".env"), "\ufeffPORT=none\r\nHOST=localhost\r\n");
    expect(await latchkey(["serve"], { cwd: folder })).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^PORT takes .*\n$/),
    });
    rmSync(join(folder, ".env"));
    mkdirSync(join(folder, ".env"));
    expect(await latchkey(["serve"], { cwd: folder })).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^\.env can't be read .*\n$/),
    });
    rmSync(folder, { recursive: true, force: true });
  });

  it("says in one line that a backup can't be written, and what a flag takes", async () => {
    await create(freshEmail());
    expect(await run(["backup", "nowhere/b.db"])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^There is no folder .*\n$/),
    });
    expect(await run(["sessions", "list", "--limit", "x"])).toMatchObject({
      code: 2,
      err: "--limit takes a whole number from 1.\n",
    });
  });

  it.each([
    ["a damaged file", (file: string) => writeFileSync(file, damaged(readFileSync(file)))],
    [
      "no database",
      (file: string) =>
        writeFileSync(file, "Dear diary, today I was a text file of some length.".repeat(100)),
    ],
    [
      "a newer schema",
      (file: string) => {
        using open = new DatabaseSync(file);
        open.exec("pragma user_version = 9999");
      },
    ],
  ])("stops at %s with one clear line, and leaves the file as it is", async (_what, spoil) => {
    const folder = mkdtempSync(join(tmpdir(), "latchkey-cli-"));
    const file = join(folder, "latchkey-data", "latchkey.db");
    await latchkey(["migrate"], { cwd: folder });
    spoil(file);
    const before = readFileSync(file);
    const { code, err } = await latchkey(["serve"], { cwd: folder });
    expect(code).toBe(1);
    expect(err.trim().split("\n")).toHaveLength(1);
    expect(err).toMatch(/damaged|not a Latchkey database|newer Latchkey/);
    expect(readFileSync(file).equals(before)).toBe(true);
    rmSync(folder, { recursive: true, force: true });
  });
});

function damaged(bytes: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, 4_096), Buffer.alloc(bytes.length - 4_096, 0x5a)]);
}
