import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { simpleParser } from "mailparser";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  createWaitingMailer,
  type WaitingMailer,
  type WaitingMailerOptions,
} from "../../tests/support/mail/waiting-mailer.ts";
import { resetPassword } from "./messages.ts";
import { CLAIM_LIFETIME } from "./outgoing.ts";

const DAY = 86_400_000;
const START = Date.UTC(2026, 10, 24, 3, 47, 58, 123);
const LINK =
  "https://app.example.com/reset-password#token=lkr_0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmno";
const message = resetPassword({
  product: "app.example.com",
  email: "ann@example.com",
  at: START,
  device: "Firefox on Windows",
  link: { href: LINK, expiresAt: START + 30 * DAY },
});

type Line = { level: string; facts: object; words: string };

let lines: Line[];
let folder: string;
let mailers: WaitingMailer[];
let servers: SMTPServer[];
let plainServers: Server[];

beforeEach(async () => {
  lines = [];
  mailers = [];
  servers = [];
  plainServers = [];
  folder = join(await mkdtemp(join(tmpdir(), "mailer-")), "data", "outbox");
});

afterEach(async () => {
  await Promise.all(mailers.map((mailer) => mailer.remove()));
  await Promise.all(servers.map(stopServer));
  for (const server of plainServers) server.close();
  await rm(join(folder, "..", ".."), { recursive: true, force: true });
});

/** Every email is created at START; after that, time passes. */
function openMailer(options: Partial<WaitingMailerOptions> = {}): WaitingMailer {
  const begun = Date.now();
  const keep = (level: string) => (facts: object, words: string) => void lines.push({ level, facts, words });
  const mailer = createWaitingMailer({
    smtpUrl: null,
    from: "Latchkey <latchkey@app.example.com>",
    outbox: folder,
    log: { info: keep("info"), warn: keep("warn"), error: keep("error") },
    at: options.now ?? (() => START),
    now: () => START + Date.now() - begun,
    retryWaits: [10, 20],
    ...options,
  });
  mailers.push(mailer);
  return mailer;
}

const levels = () => lines.map((line) => line.level);

function expectDiscreetLog(): void {
  const log = JSON.stringify(lines);
  for (const secret of ["lkr_", "ann", "example.com", "password"]) expect(log).not.toContain(secret);
}

describe("with a mail server", () => {
  type Delivery = { from: string; to: string[]; raw: string };
  type Behaviour = SMTPServerOptions & {
    /** The code with which the server refuses the n-th email, from 1; null if it accepts it. */
    refuse?: (count: number) => number | null;
    port?: number;
  };

  let delivered: Delivery[];
  /** Every email that was handed over, including refused ones. */
  let received: string[];
  beforeEach(() => {
    delivered = [];
    received = [];
  });

  async function startServer({ refuse, port = 0, ...options }: Behaviour = {}): Promise<number> {
    let count = 0;
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ["STARTTLS"],
      closeTimeout: 100,
      onData(stream, session, done) {
        const chunks: Buffer[] = [];
        stream.on("data", (chunk: Buffer) => chunks.push(chunk));
        stream.on("end", () => {
          count += 1;
          const raw = Buffer.concat(chunks).toString();
          received.push(raw);
          const code = refuse?.(count) ?? null;
          if (code !== null)
            return done(Object.assign(new Error(`Not now, ann ${LINK}`), { responseCode: code }));
          const { mailFrom, rcptTo } = session.envelope;
          const from = mailFrom === false ? "" : mailFrom.address;
          delivered.push({
            from,
            to: rcptTo.map((one) => one.address),
            raw,
          });
          done();
        });
      },
      ...options,
    });
    server.on("error", () => {});
    servers.push(server);
    server.listen(port, "127.0.0.1");
    await once(server.server, "listening");
    return (server.server.address() as AddressInfo).port;
  }

  /** Accepts every command, so that it records every line of the client. */
  async function startCredulousServer(): Promise<{ port: number; heard: string[] }> {
    const heard: string[] = [];
    const server = createServer((socket) => {
      const say = (words: string) => void socket.write(`${words}\r\n`);
      let data = false;
      say("220 catcher");
      createInterface({ input: socket }).on("line", (line) => {
        heard.push(line);
        if (data && line !== ".") return;
        data = line === "DATA";
        say(data ? "354 go on" : "250 yes");
      });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    plainServers.push(server);
    return { port: (server.address() as AddressInfo).port, heard };
  }

  const smtp = (port: number, rest = "") => `smtp://127.0.0.1:${port}${rest}`;

  test("an email arrives with both its parts", async () => {
    const mailer = openMailer({ smtpUrl: smtp(await startServer()) });
    mailer.send("ann@example.com", message);
    await mailer.settled();
    expect(delivered).toMatchObject([{ from: "latchkey@app.example.com", to: ["ann@example.com"] }]);
    const mail = await simpleParser(delivered[0]?.raw ?? "");
    expect(mail.subject).toBe("Reset your password");
    expect(mail.from?.value).toEqual([{ name: "Latchkey", address: "latchkey@app.example.com" }]);
    expect(mail.date?.getTime()).toBe(Math.floor(START / 1_000) * 1_000);
    expect(mail.messageId).toMatch(/^<[0-9a-f-]{36}@app\.example\.com>$/);
    expect(mail.text).toContain(LINK);
    expect(mail.html).toContain(`href="${LINK}"`);
    expect(lines).toEqual([]);
  });

  test.each([
    "ann@example.com, eve@evil.test",
    "ann@example.com,eve@evil.test",
    "ann@example.com>\r\nRCPT TO:<eve@evil.test",
    "ann@example.com\r\nBcc: eve@evil.test",
    '"eve@evil.test ann"@example.com',
    "eve@evil.test ann@example.com",
  ])("the address %j never adds a recipient", async (to) => {
    const { port, heard } = await startCredulousServer();
    const mailer = openMailer({ smtpUrl: smtp(port) });
    mailer.send(to, message);
    await mailer.settled();
    expect(lines).toEqual([]);
    const commands = heard.filter((line) => /^rcpt/i.test(line));
    const domain = to.slice(to.lastIndexOf("@"));
    expect(commands).toEqual([expect.stringMatching(/^RCPT TO:<(?:"[^"\\]*"|[^\s"@,]+)@[a-z.]+>$/)]);
    expect(commands[0]?.endsWith(`${domain}>`)).toBe(true);
    expect(heard.filter((line) => /^(?:to|cc|bcc|resent-to):/i.test(line))).toHaveLength(1);
  });

  test.each([
    ["no-reply@example.com", "", "example.com"],
    ['"Acme" <no-reply@example.com>', "Acme", "example.com"],
    ['"Acme, \\"Inc.\\"" <no-reply@example.com>', 'Acme, "Inc."', "example.com"],
    ['Acme" <no-reply@example.com>', 'Acme"', "example.com"],
    ["Acme (Support <no-reply@example.com>", "Acme (Support", "example.com"],
    ["Acme (Support) <no-reply@example.com>", "Acme (Support)", "example.com"],
    ["Grüße [1] \\ 日本 <no-reply@bücher.example>", "Grüße [1] \\ 日本", "xn--bcher-kva.example"],
  ])("MAIL_FROM=%s sends from that name and address, in headers of ASCII", async (from, name, domain) => {
    const { port, heard } = await startCredulousServer();
    const mailer = openMailer({ smtpUrl: smtp(port), from });
    mailer.send("ann@example.com", message);
    await mailer.settled();
    expect(heard).toContain(`MAIL FROM:<no-reply@${domain}>`);
    const data = heard.slice(heard.indexOf("DATA") + 1).join("\r\n");
    expect(data).toMatch(/^[\x20-\x7e\r\n]+$/);
    expect(data).toMatch(new RegExp(String.raw`^Message-ID: <[0-9a-f-]{36}@${domain}>\r$`, "m"));
    const mail = await simpleParser(data);
    expect(mail.from?.value).toEqual([{ name, address: expect.stringContaining("no-reply@") }]);
  });

  test("it logs in with the name and password of the address", async () => {
    const onAuth: SMTPServerOptions["onAuth"] = ({ username, password }, _session, done) =>
      username === "post" && password === "s3cret/@" ? done(null, { user: "post" }) : done(new Error("No."));
    const port = await startServer({ authOptional: false, allowInsecureAuth: true, onAuth });
    const mailer = openMailer({ smtpUrl: `smtp://post:s3cret%2F%40@127.0.0.1:${port}` });
    await mailer.verify();
    mailer.send("ann@example.com", message);
    await mailer.settled();
    expect(delivered).toHaveLength(1);
    const wrong = openMailer({ smtpUrl: `smtp://post:wrong@127.0.0.1:${port}` });
    await expect(wrong.verify()).rejects.toThrow();
    wrong.send("ann@example.com", message);
    await wrong.settled();
    expect(lines).toMatchObject([{ level: "error", facts: { code: "EAUTH", responseCode: 535, tries: 1 } }]);
    expect(JSON.stringify(lines)).not.toMatch(/wrong|post/);
    // The email is all right; it waits for the operator.
    expect(await wrong.waiting()).toMatchObject([{ failure: expect.stringContaining("EAUTH") }]);
  });

  test("a refusal that may pass is tried again, as the same email", async () => {
    const port = await startServer({ refuse: (count) => (count < 3 ? 451 : null) });
    const mailer = openMailer({ smtpUrl: smtp(port) });
    mailer.send("ann@example.com", message);
    await mailer.settled();
    expect(delivered).toHaveLength(1);
    expect(lines).toMatchObject([
      { level: "warn", facts: { responseCode: 451, tries: 1 } },
      { level: "warn", facts: { responseCode: 451, tries: 2 } },
    ]);
    expect(received).toHaveLength(3);
    expect(new Set(received.map((raw) => /^Message-ID: .*$/m.exec(raw)?.[0])).size).toBe(1);
    expectDiscreetLog();
  });

  test("an email is given up when the waits are used up", async () => {
    const mailer = openMailer({ smtpUrl: smtp(await startServer({ refuse: () => 451 })) });
    mailer.send("ann@example.com", message);
    await mailer.settled();
    expect(levels()).toEqual(["warn", "warn", "error"]);
    expectDiscreetLog();
  });

  test("a refusal for good is not tried again", async () => {
    let tries = 0;
    const refuse = () => {
      tries += 1;
      return 550;
    };
    const mailer = openMailer({ smtpUrl: smtp(await startServer({ refuse })) });
    mailer.send("ann@example.com", message);
    await mailer.settled();
    expect(tries).toBe(1);
    expect(lines).toMatchObject([{ level: "error", facts: { responseCode: 550, tries: 1 } }]);
    expectDiscreetLog();
  });

  test("a server that was down gets the email once it is up", async () => {
    const port = await startServer();
    await Promise.all(servers.splice(0).map(stopServer));
    const mailer = openMailer({ smtpUrl: smtp(port), retryWaits: Array(100).fill(20) });
    mailer.send("ann@example.com", message);
    await vi.waitFor(() => expect(lines.length).toBeGreaterThan(0));
    expect(lines[0]).toMatchObject({
      level: "warn",
      facts: { code: "ESOCKET", originalCode: "ECONNREFUSED" },
    });
    await startServer({ port });
    await mailer.settled();
    expect(delivered).toHaveLength(1);
    expectDiscreetLog();
  });

  test("a server that was restarted between two emails gets both", async () => {
    const port = await startServer();
    const mailer = openMailer({ smtpUrl: smtp(port), retryWaits: Array(100).fill(20) });
    mailer.send("ann@example.com", message);
    await mailer.settled();
    await Promise.all(servers.splice(0).map(stopServer));
    await startServer({ port });
    mailer.send("ann@example.com", message);
    await mailer.settled();
    expect(delivered).toHaveLength(2);
  });

  test("many emails go over few connections", async () => {
    let open = 0;
    let most = 0;
    const port = await startServer({
      onConnect(_session, done) {
        open += 1;
        most = Math.max(most, open);
        done();
      },
      onClose() {
        open -= 1;
      },
    });
    const mailer = openMailer({ smtpUrl: smtp(port) });
    for (let count = 0; count < 50; count += 1) mailer.send(`ann${count}@example.com`, message);
    await mailer.settled();
    expect(new Set(delivered.map(({ to }) => to[0])).size).toBe(50);
    expect(most).toBeLessThanOrEqual(3);
  });

  test("an email that takes long to be sent stays its sender's meanwhile", async () => {
    const taken = Promise.withResolvers<void>();
    const port = await startServer({
      onMailFrom: (_address, _session, done) => void taken.promise.then(() => done()),
    });
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    try {
      let now = START;
      const mailer = openMailer({ smtpUrl: smtp(port), now: () => now });
      mailer.send("ann@example.com", message);
      await vi.waitFor(async () => expect(await mailer.waiting()).toMatchObject([{ tries: 1 }]));
      now += 30_000;
      await vi.advanceTimersByTimeAsync(30_000);
      await vi.waitFor(async () =>
        expect(await mailer.waiting()).toMatchObject([{ next_try_at: now + CLAIM_LIFETIME }]),
      );
      taken.resolve();
      await mailer.settled();
      expect(delivered).toHaveLength(1);
    } finally {
      vi.useRealTimers();
    }
  });

  test("closing sends what waits, and begins nothing more", async () => {
    const mailer = openMailer({ smtpUrl: smtp(await startServer()) });
    for (let count = 0; count < 20; count += 1) mailer.send("ann@example.com", message);
    await mailer.close();
    expect(delivered).toHaveLength(20);
    expect(lines).toEqual([]);
    mailer.send("ann@example.com", message);
    expect(await mailer.waiting()).toMatchObject([{ tries: 0 }]);
    expect(delivered).toHaveLength(20);
  });

  test("closing leaves the next try of an email to the next start, and says so", async () => {
    const port = await startServer({ refuse: () => 451 });
    const mailer = openMailer({ smtpUrl: smtp(port), retryWaits: [600_000], closeTimeout: 10_000 });
    mailer.send("ann@example.com", message);
    await mailer.settled();
    await mailer.close();
    expect(levels()).toEqual(["warn", "warn"]);
    expect(lines[1]).toMatchObject({ facts: { waiting: 1 } });
    expect(await mailer.waiting()).toMatchObject([{ tries: 1, failure: "EMESSAGE 451 DATA" }]);
    expectDiscreetLog();
  });

  test("closing gives up in the end, says how many emails wait, and leaves them to whoever looks next", async () => {
    const mute = await startServer({ onConnect: () => {} });
    const mailer = openMailer({ smtpUrl: smtp(mute), closeTimeout: 50 });
    for (let count = 0; count < 5; count += 1) mailer.send("ann@example.com", message);
    await Promise.all([mailer.close(), mailer.close()]);
    expect(new Set(lines.map(({ words }) => words)).size).toBe(1);
    expect(lines[0]).toMatchObject({ level: "warn", facts: { waiting: 5 } });
    expect(await mailer.waiting()).toMatchObject(Array(5).fill({ failure: null }));
    expectDiscreetLog();
  });

  test("an address that asks nodemailer to print emails is not obeyed", async () => {
    const printed = vi.spyOn(console, "log").mockImplementation(() => {});
    const port = await startServer();
    const mailer = openMailer({ smtpUrl: smtp(port, "/?logger=true&debug=true&transactionLog=true") });
    mailer.send("ann@example.com", message);
    await mailer.settled();
    expect(delivered).toHaveLength(1);
    expect(printed).not.toHaveBeenCalled();
    printed.mockRestore();
  });
});

describe("with an outbox", () => {
  test("logs 100 emails a minute that were held back, then how many more, at the end too", async () => {
    let at = START;
    const mailer = openMailer({ admit: async () => false, now: () => at });
    const holdBack = async (many: number) => {
      for (let sent = 0; sent < many; sent++) mailer.send("ann@example.com", message);
      await mailer.settled();
    };
    const more = (leftOut: number) => [
      { level: "warn", facts: { leftOut }, words: "More emails were held back than are logged." },
    ];
    await holdBack(103);
    expect(lines).toHaveLength(100);
    at += 60_000;
    mailer.sendDue();
    await mailer.settled();
    expect(lines.splice(100)).toEqual(more(3));
    await holdBack(101);
    expect(lines).toHaveLength(200);
    await mailer.close();
    expect(lines.slice(200)).toEqual(more(1));
  });

  const NAME = /^\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}\.\d{3}Z-\d{6}-[0-9a-f]{8}\.eml$/;
  const files = async () => (await readdir(folder)).sort();
  const contents = async () =>
    Promise.all((await files()).map((file) => readFile(join(folder, file), "utf8")));
  const recipients = async () => (await contents()).map((eml) => /^To: (.*?)\r$/m.exec(eml)?.[1]);

  test("an email is a file that only its owner can read", async () => {
    const mailer = openMailer();
    mailer.send("ann@example.com", message);
    await mailer.settled();
    const [file = "", ...rest] = await files();
    expect(rest).toEqual([]);
    expect(file).toMatch(NAME);
    expect(file.startsWith("2026-11-24T03-47-58.123Z-000001-")).toBe(true);
    expect((await stat(join(folder, file))).mode & 0o777).toBe(0o600);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  test("the file is a whole mail: both parts, quoted-printable, CRLF, dated by the clock", async () => {
    const mailer = openMailer();
    const subject = "New login method: Schlüssel für 日本語のノートパソコン と 電話";
    mailer.send("ann@example.com", {
      ...message,
      subject,
      text: `${message.text}\n日本語のノートパソコン と 電話\n`,
    });
    await mailer.settled();
    const [eml = ""] = await contents();
    expect(eml).not.toMatch(/[^\r]\n/);
    expect(eml).not.toMatch(/^Content-Transfer-Encoding: base64/m);
    const mail = await simpleParser(eml);
    expect(mail.subject).toBe(subject);
    expect(mail.text).toContain(LINK);
    expect(mail.text).toContain("日本語のノートパソコン と 電話");
    expect(mail.html).toContain(`href="${LINK}"`);
    expect(mail.headers.get("content-type")).toMatchObject({ value: "multipart/alternative" });
    expect(mail.headers.get("auto-submitted")).toBe("auto-generated");
    expect(mail.date?.getTime()).toBe(Math.floor(START / 1_000) * 1_000);
    expect(mail.messageId).toMatch(/@app\.example\.com>$/);
  });

  test("names sort in the order of sending, within one millisecond too", async () => {
    let now = START;
    const mailer = openMailer({ now: () => now });
    const wanted = Array.from({ length: 60 }, (_, count) => `ann${count}@example.com`);
    for (const [count, to] of wanted.entries()) {
      if (count % 20 === 0) now += 1;
      mailer.send(to, message);
    }
    await mailer.settled();
    expect(await recipients()).toEqual(wanted);
  });

  test("two mailers share a folder, and a later one goes on where they ended", async () => {
    const [first, second] = [openMailer(), openMailer()];
    for (let count = 0; count < 20; count += 1) {
      first.send(`first${count}@example.com`, message);
      second.send(`second${count}@example.com`, message);
    }
    await Promise.all([first.close(), second.close()]);
    const later = openMailer({ now: () => START + 1 });
    later.send("later@example.com", message);
    await later.settled();
    const found = await recipients();
    expect(new Set(found).size).toBe(41);
    expect(found.at(-1)).toBe("later@example.com");
    const ofFirst = found.filter((one) => one?.startsWith("first"));
    expect(ofFirst).toEqual(Array.from({ length: 20 }, (_, count) => `first${count}@example.com`));
  });

  test("a reader never sees half an email", async () => {
    const mailer = openMailer();
    for (let count = 0; count < 30; count += 1) mailer.send("ann@example.com", message);
    let settled = false;
    const done = mailer.settled().then(() => {
      settled = true;
    });
    const readAll = async () => {
      const names = (await readdir(folder).catch(() => [])).filter((one) => one.endsWith(".eml"));
      return Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
    };
    const seen: string[] = [];
    while (!settled) seen.push(...(await readAll()));
    await done;
    const whole = await readAll();
    expect(whole).toHaveLength(30);
    expect([...seen, ...whole].filter((text) => !/^Auto-Submitted: [\s\S]*--\r\n$/.test(text))).toEqual([]);
  });

  describe("clears out", () => {
    const old = "2026-11-17T03-47-58.122Z-000001-0123abcd";
    const kept = "2026-11-17T03-47-58.123Z-000001-0123abcd.eml";
    const foreign = [
      "2026-11-01.eml",
      "notes.eml",
      `${old}.txt`,
      `copy of ${old}.eml`,
      `.${old}.eml`,
      `${old}.draft`,
    ];

    beforeEach(async () => {
      await mkdir(folder, { recursive: true });
      for (const file of [`${old}.eml`, `.${old}.draft`, kept, ...foreign])
        await writeFile(join(folder, file), "");
    });

    test("at the start, what is older than 7 days and our own", async () => {
      await openMailer({ now: () => START }).settled();
      expect(await files()).toEqual([kept, ...foreign].sort());
    });

    test("then hourly, as emails are written", async () => {
      let now = START;
      const mailer = openMailer({ now: () => now });
      const sendAfter = async (time: number) => {
        now += time;
        mailer.send("ann@example.com", message);
        await mailer.settled();
        return files();
      };
      expect(await sendAfter(3_599_999)).toContain(kept);
      expect(await sendAfter(1)).not.toContain(kept);
      const left = await sendAfter(8 * DAY);
      expect(left.filter((file) => NAME.test(file))).toHaveLength(1);
      expect(left).toEqual(expect.arrayContaining(foreign));
      expect(lines).toEqual([]);
    });
  });

  test("a folder that can't be written is an error in the log, and nothing is thrown", async () => {
    await mkdir(join(folder, ".."), { recursive: true });
    await writeFile(folder, "a file where the folder should be");
    const mailer = openMailer();
    mailer.send("ann@example.com", message);
    await mailer.settled();
    expect(levels()).toEqual(["warn", "warn", "warn", "error"]);
    expect(lines[0]).toMatchObject({ words: "Old emails could not be deleted." });
    expect(lines.at(-1)).toMatchObject({ facts: { code: "EEXIST", tries: 3 } });
    await expect(mailer.verify()).rejects.toThrow();
    expectDiscreetLog();
  });

  test("a folder that failed once gets the email at the next try", async () => {
    await mkdir(join(folder, ".."), { recursive: true });
    await writeFile(folder, "in the way");
    const mailer = openMailer({ retryWaits: Array(100).fill(20) });
    mailer.send("ann@example.com", message);
    await vi.waitFor(() => expect(lines.length).toBeGreaterThan(1));
    await rm(folder);
    await mailer.settled();
    expect(await recipients()).toEqual(["ann@example.com"]);
  });

  test("verifying makes the folder ready", async () => {
    await openMailer().verify();
    expect(await files()).toEqual([]);
  });
});

function stopServer(server: SMTPServer): Promise<void> {
  return new Promise((resolve) => server.close(resolve));
}
