import { randomUUID } from "node:crypto";
import { setImmediate as nextTurn, setTimeout as wait } from "node:timers/promises";
import addressparser from "nodemailer/lib/addressparser";
import { harmless, isPermanent, NoStartTls } from "./failure.ts";
import type { Message } from "./messages.ts";
import { outboxCarrier } from "./outbox.ts";
import { smtpCarrier } from "./smtp.ts";
import type { Carrier, Mail } from "./transport.ts";

/** Sends mails, or puts them into the outbox folder. */
export type Mailer = {
  /** Takes a mail and returns at once: no answer waits for a mail server, and none tells by its time whether a mail went out. */
  send(to: string, message: Message): void;
  /** Resolves when every mail taken so far is sent or given up. */
  settled(): Promise<void>;
  /** Asks the mail server, or the folder, whether it would take mail. @throws where it wouldn't. */
  verify(): Promise<void>;
  /** Takes no more mails, tries for a while to send what waits, then says in the log how many mails were lost. */
  close(): Promise<void>;
};

type Log = Record<"info" | "warn" | "error", (facts: object, words: string) => void>;

export type MailerOptions = {
  /** Without it mails go to the outbox. */
  smtpUrl: string | null;
  from: string;
  outbox: string;
  log: Log;
  now: () => number;
  /** Waits before another try after a failure that may pass, in ms; then a mail is given up. Default 1 s, 5 s, 30 s, 2 min, 10 min. */
  retryWaits?: readonly number[];
  /** How long `close` tries to send what waits, in ms. Default 10 s. */
  closePatience?: number;
  /** How many mails may wait at once; more are dropped. Default 10,000. */
  mostWaiting?: number;
};

const RETRY_WAITS = [1_000, 5_000, 30_000, 120_000, 600_000];
const CLOSE_PATIENCE = 10_000;
const MOST_WAITING = 10_000;
/** Between two tries while closing. */
const LAST_WAIT = 1_000;

/** Mails wait in memory only: they carry links whose tokens may not be at rest anywhere. */
export function createMailer(options: MailerOptions): Mailer {
  const { from, log, now } = options;
  const { retryWaits = RETRY_WAITS, closePatience = CLOSE_PATIENCE, mostWaiting = MOST_WAITING } = options;
  const [carrier, begun] = createCarrier(options);
  const waiting = new Set<Promise<void>>();
  const closing = new AbortController();
  const stopped = new AbortController();
  let closed: Promise<void> | null = null;

  async function deliver(mail: Mail): Promise<void> {
    // Not even putting the mail together may be seen in the time of the answer.
    await nextTurn();
    for (let tries = 1; !stopped.signal.aborted; tries += 1) {
      const failure = await attempt(carrier, mail);
      if (failure === null || stopped.signal.aborted) return;
      const pause = retryWaits[tries - 1];
      const facts = { ...harmless(failure.error), tries };
      if (failure.error instanceof NoStartTls) return log.error(facts, failure.error.message);
      if (pause === undefined || isPermanent(failure.error))
        return log.error(facts, "A mail could not be sent and was given up.");
      log.warn(facts, "A mail could not be sent; trying again.");
      await pauseFor(pause);
    }
  }

  /** A wait ends when the mailer closes: the mail gets its chance while there is one. */
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
      log.error({ lost: waiting.size }, "The server stops with mails that could not be sent.");
    stopped.abort();
    carrier.close();
  }

  return {
    send(to, message) {
      if (closed !== null) return log.error({}, "A mail came after the mailer had closed and was dropped.");
      if (waiting.size >= mostWaiting)
        return log.error({ waiting: waiting.size }, "Too many mails wait to be sent; one was dropped.");
      const done: Promise<void> = deliver({ to, message, at: now(), id: messageId(from) }).finally(() =>
        waiting.delete(done),
      );
      waiting.add(done);
    },
    async settled() {
      await Promise.all([begun, ...waiting]);
    },
    verify: () => carrier.verify(),
    close() {
      closed ??= shut();
      return closed;
    },
  };
}

/** The carrier, and what has to be done before it counts as settled. */
function createCarrier({ smtpUrl, from, outbox: folder, log, now }: MailerOptions): [Carrier, Promise<void>] {
  if (smtpUrl !== null) return [smtpCarrier(smtpUrl, from), Promise.resolve()];
  const onCleanFailure = (error: unknown) => log.warn(harmless(error), "Old mails could not be deleted.");
  const outbox = outboxCarrier({ folder, from, now, onCleanFailure });
  return [outbox, outbox.cleaned];
}

async function attempt(carrier: Carrier, mail: Mail): Promise<{ error: unknown } | null> {
  try {
    await carrier.carry(mail);
    return null;
  } catch (error) {
    return { error };
  }
}

function messageId(from: string): string {
  const [sender] = addressparser(from, { flatten: true });
  return `<${randomUUID()}@${sender?.address.split("@").pop() || "localhost"}>`;
}
