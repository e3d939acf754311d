import { setTimeout as wait } from "node:timers/promises";
import { createTransport } from "nodemailer";
import type { Message } from "./messages.ts";
import { createOutbox } from "./outbox.ts";

/** Sends mails, or puts them into the outbox folder. */
export type Mailer = {
  /** Takes a mail and returns at once: no answer waits for a mail server, and none tells by its time whether a mail went out. */
  send(to: string, message: Message): void;
  /** Resolves when every mail taken so far is sent or given up. */
  settled(): Promise<void>;
  /** Asks the mail server whether it would take mail. @throws where it wouldn't. */
  verify(): Promise<void>;
  /** Tries for 10 seconds to send what waits, then says in the log how many mails were lost. */
  close(): Promise<void>;
};

type Log = Record<"info" | "warn" | "error", (facts: object, words: string) => void>;

type MailerOptions = {
  smtpUrl: string | null;
  from: string;
  outbox: string;
  log: Log;
  now: () => number;
  /** Waits before another try after a failure that may pass, in ms. */
  retryWaits?: readonly number[];
};

const RETRY_WAITS = [1_000, 5_000, 30_000, 120_000, 600_000];
const MOST_WAITING = 10_000;
const CLOSE_PATIENCE = 10_000;
const SMTP_TIMEOUT = 20_000;

/** Mails wait in memory only: they carry links whose tokens may not be at rest anywhere. */
export function createMailer(options: MailerOptions): Mailer {
  const { log, retryWaits = RETRY_WAITS } = options;
  const carrier = options.smtpUrl === null ? outboxCarrier(options) : smtpCarrier(options, options.smtpUrl);
  const waiting = new Set<Promise<void>>();
  const stop = new AbortController();

  async function deliver(to: string, message: Message): Promise<void> {
    for (const [tries, pause] of [...retryWaits, null].entries()) {
      try {
        await carrier.carry(to, message);
        return;
      } catch (error) {
        const facts = { ...harmless(error), tries: tries + 1 };
        if (pause === null || isPermanent(error)) {
          log.error(facts, "A mail could not be sent and was given up.");
          return;
        }
        log.warn(facts, "A mail could not be sent; trying again.");
        await wait(pause, undefined, { signal: stop.signal, ref: false });
      }
    }
  }

  return {
    send(to, message) {
      if (waiting.size >= MOST_WAITING) {
        log.error({ waiting: waiting.size }, "Too many mails wait to be sent; one was dropped.");
        return;
      }
      const done: Promise<void> = deliver(to, message)
        .catch(() => {})
        .finally(() => waiting.delete(done));
      waiting.add(done);
    },
    async settled() {
      await Promise.all(waiting);
    },
    verify: () => carrier.verify(),
    async close() {
      const patience = new AbortController();
      const limit = wait(CLOSE_PATIENCE, undefined, { signal: patience.signal }).catch(() => {});
      await Promise.race([Promise.all(waiting), limit]);
      patience.abort();
      if (waiting.size > 0)
        log.error({ lost: waiting.size }, "The server stops with mails that could not be sent.");
      stop.abort();
      carrier.close();
    },
  };
}

type Carrier = { carry(to: string, message: Message): Promise<void>; verify(): Promise<void>; close(): void };

function smtpCarrier({ from }: MailerOptions, url: string): Carrier {
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: 3,
    connectionTimeout: SMTP_TIMEOUT,
    greetingTimeout: SMTP_TIMEOUT,
    socketTimeout: SMTP_TIMEOUT,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    async carry(to, message) {
      await transport.sendMail({ ...envelope(to, message), from });
    },
    async verify() {
      await transport.verify();
    },
    close: () => transport.close(),
  };
}

function outboxCarrier({ from, outbox: folder, now }: MailerOptions): Carrier {
  const transport = createTransport({ streamTransport: true, buffer: true, newline: "windows" });
  const outbox = createOutbox(folder);
  return {
    async carry(to, message) {
      const at = now();
      const mail = {
        ...envelope(to, message),
        from,
        date: new Date(at),
        textEncoding: "quoted-printable" as const,
      };
      const { message: eml } = await transport.sendMail(mail);
      await outbox.put(eml as Buffer, at);
    },
    verify: async () => {},
    close: () => {},
  };
}

/** The address goes in as an address, not as a header's text: no name in it can add another recipient. */
function envelope(to: string, { subject, text, html }: Message) {
  return {
    to: { name: "", address: to },
    subject,
    text,
    html,
    headers: { "Auto-Submitted": "auto-generated" },
  };
}

/** A 5xx answer of the mail server: another try won't help. */
function isPermanent(error: unknown): boolean {
  const code = (error as { responseCode?: unknown }).responseCode;
  return typeof code === "number" && code >= 500 && code < 600;
}

/** What of an error may go into the log: never an address, never a mail's words. */
function harmless(error: unknown): object {
  const { code, responseCode, command } = error as {
    code?: unknown;
    responseCode?: unknown;
    command?: unknown;
  };
  return { code, responseCode, command };
}
