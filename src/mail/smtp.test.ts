import { once } from "node:events";
import { rmSync } from "node:fs";
import { type AddressInfo, createServer, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { afterEach, describe, expect, test, vi } from "vitest";
import { createWaitingMailer, type WaitingMailer } from "../../tests/support/mail/waiting-mailer.ts";
import { needsTls, smtpTransport } from "./smtp.ts";
import type { MailTransport } from "./transport.ts";

const message = { subject: "Reset your password", text: "A secret link", html: "<p>A secret link</p>" };
const WHAT_TO_SET = /STARTTLS.*SMTP_URL.*\?tls=optional/;
/** Reaches the servers of these tests by an address that isn't recognized as this machine's. */
const ELSEWHERE = "0.0.0.0";
/** The certificate of the tests' server is self-signed. */
const ANY_CERTIFICATE = "tls.rejectUnauthorized=false";

type Delivered = { secure: boolean; raw: string };
type Line = { level: string; facts: object; words: string };

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function startServer(
  options: SMTPServerOptions = {},
): Promise<{ port: number; delivered: Delivered[] }> {
  const delivered: Delivered[] = [];
  const server = new SMTPServer({
    authOptional: true,
    closeTimeout: 100,
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        delivered.push({ secure: session.secure, raw: Buffer.concat(chunks).toString() });
        done();
      });
    },
    ...options,
  });
  server.on("error", () => {});
  server.listen(0);
  await once(server.server, "listening");
  closing.push(() => new Promise((resolve) => server.close(resolve)));
  return { port: (server.server.address() as AddressInfo).port, delivered };
}

function openMailer(smtpUrl: string): { mailer: WaitingMailer; lines: Line[] } {
  const lines: Line[] = [];
  const keep = (level: string) => (facts: object, words: string) => void lines.push({ level, facts, words });
  const outbox = join(tmpdir(), `latchkey-no-outbox-${process.pid}`);
  const mailer = createWaitingMailer({
    smtpUrl,
    from: "Latchkey <latchkey@app.example.com>",
    outbox,
    log: { info: keep("info"), warn: keep("warn"), error: keep("error") },
    now: Date.now,
    retryWaits: [10, 10, 10],
  });
  closing.push(() => mailer.remove());
  closing.push(() => rmSync(outbox, { recursive: true, force: true }));
  return { mailer, lines };
}

async function sendOne(mailer: WaitingMailer): Promise<void> {
  mailer.send("ann@example.com", message);
  await mailer.settled();
}

const NO_STARTTLS: SMTPServerOptions = { disabledCommands: ["STARTTLS"] };

/** An attacker in between, who accepts every command except STARTTLS, and answers that with `refusal`. */
async function startStripper(refusal: string): Promise<{ port: number; heard: string[] }> {
  const heard: string[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.write("220 mail.example.com\r\n");
    createInterface({ input: socket }).on("line", (line) => {
      heard.push(line);
      socket.write(line === "STARTTLS" ? `${refusal}\r\n` : "250 yes\r\n");
    });
  }).listen(0);
  await once(server, "listening");
  closing.push(() => void server.close());
  return { port: (server.address() as AddressInfo).port, heard };
}

describe("a mail server on another machine", () => {
  test("that offers STARTTLS gets its emails encrypted", async () => {
    const { port, delivered } = await startServer();
    const { mailer, lines } = openMailer(`smtp://${ELSEWHERE}:${port}?${ANY_CERTIFICATE}`);
    await mailer.verify();
    await sendOne(mailer);
    expect(delivered).toMatchObject([{ secure: true, raw: expect.stringContaining("A secret link") }]);
    expect(lines).toEqual([]);
  });

  test("whose certificate nobody vouches for gets nothing", async () => {
    const { port, delivered } = await startServer();
    const { mailer, lines } = openMailer(`smtp://${ELSEWHERE}:${port}`);
    await expect(mailer.verify()).rejects.toThrow(/certificate/);
    await sendOne(mailer);
    expect(delivered).toEqual([]);
    expect(lines.map(({ level }) => level)).toEqual(["warn", "warn", "warn", "error"]);
    for (const { words } of lines) expect(words).not.toMatch(WHAT_TO_SET);
  });

  test.each([
    ["doesn't know STARTTLS", NO_STARTTLS, ""],
    ["doesn't know STARTTLS, whatever else the address asks for", NO_STARTTLS, "?requireTLS=false"],
    ["doesn't know STARTTLS, even if the address would ignore it", NO_STARTTLS, "?ignoreTLS=true"],
    ["doesn't know STARTTLS, even if the address would go on", NO_STARTTLS, "?opportunisticTLS=true"],
  ])(
    "that %s gets nothing in the clear, and the log says once what to set",
    async (_what, options, query) => {
      const { port, delivered } = await startServer(options);
      const { mailer, lines } = openMailer(`smtp://post:s3cret@${ELSEWHERE}:${port}${query}`);
      await expect(mailer.verify()).rejects.toThrow(WHAT_TO_SET);
      await sendOne(mailer);
      expect(delivered).toEqual([]);
      expect(lines).toEqual([
        {
          level: "error",
          facts: expect.objectContaining({ tries: 1 }),
          words: expect.stringMatching(WHAT_TO_SET),
        },
      ]);
      expect(JSON.stringify(lines)).not.toMatch(/s3cret|ann@|link/);
      expect(await mailer.waiting()).toHaveLength(1);
    },
  );

  test.each(["454 4.7.0 Not now", "502 5.5.1 No such command"])(
    "whose STARTTLS was stripped on the way, and answers %s, gets no word of an email or a password",
    async (refusal) => {
      const { port, heard } = await startStripper(refusal);
      const { mailer, lines } = openMailer(`smtp://post:s3cret@${ELSEWHERE}:${port}`);
      await sendOne(mailer);
      expect(heard.map((line) => line.split(" ")[0])).toEqual(["EHLO", "STARTTLS"]);
      expect(lines).toMatchObject([
        { level: "error", facts: { tries: 1 }, words: expect.stringMatching(WHAT_TO_SET) },
      ]);
    },
  );

  test("gets them unencrypted where ?tls=optional says so and it can't do better", async () => {
    const { port, delivered } = await startServer(NO_STARTTLS);
    const { mailer, lines } = openMailer(`smtp://${ELSEWHERE}:${port}?tls=optional`);
    await mailer.verify();
    await sendOne(mailer);
    expect(delivered).toMatchObject([{ secure: false }]);
    expect(lines).toEqual([]);
  });

  test("gets them encrypted with ?tls=optional, too, where it can", async () => {
    const { port, delivered } = await startServer();
    const { mailer } = openMailer(`smtp://${ELSEWHERE}:${port}?tls=optional&${ANY_CERTIFICATE}`);
    await sendOne(mailer);
    expect(delivered).toMatchObject([{ secure: true }]);
  });
});

describe("a mail server that takes its time", () => {
  const TWO_MINUTES = 120_000;
  const TEN_MINUTES = 600_000;
  const mail = { to: "ann@example.com", message, at: 0, id: "<1@example.com>" };
  const FROM = { name: "", address: "latchkey@app.example.com" };

  test("has ten minutes to say that it has taken an email, which would be sent twice after less (RFC 5321)", async () => {
    const waits = vi.spyOn(Socket.prototype, "setTimeout");
    closing.push(() => waits.mockRestore());
    const seen: number[] = [];
    const { port } = await startServer({
      ...NO_STARTTLS,
      onData(stream, _session, done) {
        stream.resume().on("end", () => {
          const mine = waits.mock.contexts.map((socket) => (socket as Socket).remotePort === port);
          seen.push(...waits.mock.calls.flatMap(([ms], at) => (mine[at] ? [ms] : [])));
          done();
        });
      },
    });
    const transport = smtpTransport(`smtp://127.0.0.1:${port}`, FROM);
    closing.push(() => transport.close());
    await transport.send(mail);
    expect(seen.at(-1)).toBe(TEN_MINUTES);
  });

  test("and never ends its answer loses the connection after half an hour, and only that one", async () => {
    const limits: AbortController[] = [];
    const timeout = vi.spyOn(AbortSignal, "timeout").mockImplementation(() => {
      limits.push(new AbortController());
      return limits.at(-1)?.signal ?? AbortSignal.abort();
    });
    closing.push(() => timeout.mockRestore());
    let held = 0;
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.write("220 mail.example.com\r\n");
      createInterface({ input: socket }).on("line", (line) => {
        if (line === "DATA") socket.write("354 go on\r\n");
        else if (/^(EHLO|MAIL|RCPT)/.test(line)) socket.write("250 yes\r\n");
        // Any data resets the timer for silent connections.
        if (line !== ".") return;
        held += 1;
        socket.write("250-still at it\r\n");
        if (held === 2) answerSecond = () => socket.write("250 taken\r\n");
      });
    }).listen(0);
    let answerSecond = () => false;
    await once(server, "listening");
    closing.push(() => void server.close());
    const transport = smtpTransport(`smtp://127.0.0.1:${(server.address() as AddressInfo).port}`, FROM);
    closing.push(() => transport.close());
    const endless = transport.send(mail);
    await expect.poll(() => held).toBe(1);
    const other = transport.send(mail);
    await expect.poll(() => held).toBe(2);
    expect(timeout.mock.calls).toEqual([[3 * TEN_MINUTES], [3 * TEN_MINUTES]]);
    limits[0]?.abort();
    await expect(endless).rejects.toMatchObject({ code: "ETIMEDOUT" });
    answerSecond();
    await other;
  });

  test.each([
    ["is asked whether it takes email", (transport: MailTransport) => transport.verify()],
    ["gets a test email", (transport: MailTransport) => transport.send(mail, { isCheck: true })],
  ])("and never ends an answer when it %s loses the connection after two minutes", async (_, check) => {
    const limit = new AbortController();
    const timeout = vi.spyOn(AbortSignal, "timeout").mockReturnValue(limit.signal);
    closing.push(() => timeout.mockRestore());
    const { promise: connected, resolve: hasConnected } = Promise.withResolvers<Socket>();
    const server = createServer((socket) => {
      socket.on("error", () => {});
      hasConnected(socket);
      socket.write("220 mail.example.com\r\n");
      // Any data resets the timer for silent connections.
      socket.on("data", () => socket.write("250-still at it\r\n"));
    }).listen(0);
    await once(server, "listening");
    closing.push(() => void server.close());
    const transport = smtpTransport(`smtp://127.0.0.1:${(server.address() as AddressInfo).port}`, FROM);
    closing.push(() => transport.close());
    const checked = check(transport);
    const socket = await connected;
    limit.abort();
    await expect(checked).rejects.toMatchObject({ code: "ETIMEDOUT" });
    await expect.poll(() => socket.destroyed).toBe(true);
    expect(timeout.mock.calls).toEqual([[TWO_MINUTES]]);
  });

  test("isn't kept connected for them: half a minute after the last email the connection is closed", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    closing.push(() => void vi.useRealTimers());
    const open = { now: 0, ever: 0 };
    // Without a timer of its own, unlike smtp-server.
    const server = createServer((socket) => {
      open.now += 1;
      open.ever += 1;
      socket.on("error", () => {});
      socket.on("close", () => {
        open.now -= 1;
      });
      socket.write("220 mail.example.com\r\n");
      createInterface({ input: socket }).on("line", (line) => {
        if (line === "DATA") socket.write("354 go on\r\n");
        else if (/^(EHLO|MAIL|RCPT|\.$)/.test(line)) socket.write("250 yes\r\n");
      });
    }).listen(0);
    await once(server, "listening");
    closing.push(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const transport = smtpTransport(`smtp://127.0.0.1:${port}`, FROM);
    closing.push(() => transport.close());
    await transport.send(mail);
    await vi.advanceTimersByTimeAsync(20_000);
    await transport.send(mail);
    await vi.advanceTimersByTimeAsync(29_000);
    expect(open).toEqual({ now: 1, ever: 1 });
    await vi.advanceTimersByTimeAsync(2_000);
    await expect.poll(() => open.now).toBe(0);
    await transport.send(mail);
    expect(open).toEqual({ now: 1, ever: 2 });
  });
});

test.each(["localhost", "127.0.0.1", "[::1]"])(
  "a mail server on this machine, at %s, needs no TLS",
  async (host) => {
    const { port, delivered } = await startServer(NO_STARTTLS);
    const { mailer, lines } = openMailer(`smtp://${host}:${port}`);
    await sendOne(mailer);
    expect(delivered).toMatchObject([{ secure: false }]);
    expect(lines).toEqual([]);
  },
);

test.each([
  ["smtp://mail.example.com:587", true],
  ["smtp://post:s3cret@mail.example.com", true],
  ["smtp://10.0.0.7", true],
  ["smtp://128.0.0.1", true],
  ["smtp://127.0.0.1.example.com", true],
  ["smtp://localhost.example.com", true],
  ["smtp://notlocalhost", true],
  ["smtp://[::2]", true],
  ["smtp://mail.example.com?tls=optional", false],
  ["smtp://LOCALHOST:25", false],
  ["smtp://127.9.8.7", false],
  ["smtp://[0:0:0:0:0:0:0:1]:25", false],
  ["smtps://mail.example.com", false],
])("%s insists on STARTTLS: %s", (smtpUrl, needed) => {
  expect(needsTls(new URL(smtpUrl))).toBe(needed);
});
