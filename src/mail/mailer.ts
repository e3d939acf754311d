import { randomUUID } from "node:crypto";
import { setImmediate as nextTurn, setTimeout as wait } from "node:timers/promises";
import addressparser from "nodemailer/lib/addressparser";
import { isDevelopment, type Settings } from "../options/options.ts";
import { harmless, isPermanent, NoStartTls } from "./failure.ts";
import type { Message } from "./messages.ts";
import { outboxTransport } from "./outbox.ts";
import { smtpTransport } from "./smtp.ts";
import type { Mail, MailTransport } from "./transport.ts";

/** Sends emails, or puts them into the outbox folder. */
export type Mailer = {
  /** Takes an email and returns at once: no answer waits for a mail server, and none tells by its time whether an email went out. */
  send(to: string, message: Message): void;
  /** Resolves when every email taken so far is sent or given up. */
  settled(): Promise<void>;
  /** Asks the mail server, or the folder, whether it would take email. @throws where it wouldn't. */
  verify(): Promise<void>;
  /** Takes no more emails, tries for a while to send what waits, then says in the log how many emails were lost. */
  close(): Promise<void>;
};

type Log = Record<"info" | "warn" | "error", (facts: object, words: string) => void>;

export type MailerOptions = {
  /** Without it emails go to the outbox. */
  smtpUrl: string | null;
  from: string;
  outbox: string;
  log: Log;
  /** Tells the log each email's subject and link: for a developer's own machine, since a link is a secret. Default false. */
  showsLinks?: boolean;
  now: () => number;
  /** Waits before another try after a failure that may pass, in ms; then an email is given up. Default 1 s, 5 s, 30 s, 2 min, 10 min. */
  retryWaits?: readonly number[];
  /** How long `close` tries to send what waits, in ms. Default 10 s. */
  closePatience?: number;
  /** How many emails may wait at once; more are dropped. Default 10,000. */
  mostWaiting?: number;
};

const RETRY_WAITS = [1_000, 5_000, 30_000, 120_000, 600_000];
const CLOSE_PATIENCE = 10_000;
const MOST_WAITING = 10_000;
/** Between two tries while closing. */
const LAST_WAIT = 1_000;

/** The mailer that the settings name. */
export function openMailer(settings: Settings, log: Log): Mailer {
  const { smtpUrl, mailFrom: from, outbox, now } = settings;
  return createMailer({ smtpUrl, from, outbox, log, now, showsLinks: isDevelopment(settings) });
}

/** Emails wait in memory only: they carry links whose tokens may not be at rest anywhere. */
export function createMailer(options: MailerOptions): Mailer {
  const { from, log, now } = options;
  const { retryWaits = RETRY_WAITS, closePatience = CLOSE_PATIENCE, mostWaiting = MOST_WAITING } = options;
  const [transport, begun] = createMailTransport(options);
  const waiting = new Set<Promise<void>>();
  const closing = new AbortController();
  const stopped = new AbortController();
  let closed: Promise<void> | null = null;

  async function deliver(mail: Mail): Promise<void> {
    // Not even putting the email together may be seen in the time of the answer.
    await nextTurn();
    for (let tries = 1; !stopped.signal.aborted; tries += 1) {
      const failure = await attempt(transport, mail);
      if (failure === null && options.showsLinks) showLink(log, mail);
      if (failure === null || stopped.signal.aborted) return;
      const pause = retryWaits[tries - 1];
      const facts = { ...harmless(failure.error), tries };
      if (failure.error instanceof NoStartTls) return log.error(facts, failure.error.message);
      if (pause === undefined || isPermanent(failure.error))
        return log.error(facts, "An email could not be sent and was given up.");
      log.warn(facts, "An email could not be sent; trying again.");
      await pauseFor(pause);
    }
  }

  /** A wait ends when the mailer closes: the email gets its chance while there is one. */
  async function pauseFor(pause: number): Promise<void> {
    const [length, { signal }] = closing.signal.aborted
      ? [Math.min(pause, LAST_WAIT), stopped]
      : [pause, closing];
    await wait(length, undefined, { signal, ref: false }).catch(() => {});
  }

  async function shut(): Promise<void> {
    closing.abort();
    const sent = new AbortController();
    const limit = wait(closePatience, undefined, { signal: sent.signal }).catch(() => {});
    await Promise.race([Promise.all(waiting), limit]);
    sent.abort();
    if (waiting.size > 0)
      log.error({ lost: waiting.size }, "The server stops with emails that could not be sent.");
    stopped.abort();
    transport.close();
  }

  return {
    send(to, message) {
      if (closed !== null) return log.error({}, "An email came after the mailer had closed and was dropped.");
      if (waiting.size >= mostWaiting)
        return log.error({ waiting: waiting.size }, "Too many emails wait to be sent; one was dropped.");
      const done: Promise<void> = deliver({ to, message, at: now(), id: messageId(from) }).finally(() =>
        waiting.delete(done),
      );
      waiting.add(done);
    },
    async settled() {
      await Promise.all([begun, ...waiting]);
    },
    verify: () => transport.verify(),
    close() {
      closed ??= shut();
      return closed;
    },
  };
}

function showLink(log: Log, { message: { subject, link } }: Mail): void {
  log.info({ link }, `Email: ${subject}`);
}

/** The carrier, and what has to be done before it counts as settled. */
function createMailTransport({
  smtpUrl,
  from,
  outbox: folder,
  log,
  now,
}: MailerOptions): [MailTransport, Promise<void>] {
  if (smtpUrl !== null) return [smtpTransport(smtpUrl, from), Promise.resolve()];
  const onCleanFailure = (error: unknown) => log.warn(harmless(error), "Old emails could not be deleted.");
  const outbox = outboxTransport({ folder, from, now, onCleanFailure });
  return [outbox, outbox.cleaned];
}

async function attempt(transport: MailTransport, mail: Mail): Promise<{ error: unknown } | null> {
  try {
    await transport.carry(mail);
    return null;
  } catch (error) {
    return { error };
  }
}

function messageId(from: string): string {
  const [sender] = addressparser(from, { flatten: true });
  return `<${randomUUID()}@${sender?.address.split("@").pop() || "localhost"}>`;
}
