import { randomUUID } from "node:crypto";
import { setImmediate as nextTurn, setTimeout as wait } from "node:timers/promises";
import { DatabaseUnavailable } from "../database/database.ts";
import { createLinesAMinute } from "../lines-a-minute.ts";
import { isDevelopment, type Settings } from "../options/options.ts";
import { createDelivery, type DeliveryOptions, messageId } from "./delivery.ts";
import { harmless } from "./failure.ts";
import type { Message } from "./layout.ts";
import { outboxTransport } from "./outbox.ts";
import { type Admit, type Claimed, claimNext, type EmailSeal, nextTryAt, waitingEmails } from "./outgoing.ts";
import { smtpTransport } from "./smtp.ts";
import type { MailTransport } from "./transport.ts";

/** Sends the emails waiting in the database, or writes them to the outbox folder. */
export type Mailer = ReturnType<typeof createMailer>;

export type MailerOptions = DeliveryOptions & {
  seal: EmailSeal;
  admit: Admit;
  /** If null, emails go to the outbox. */
  smtpUrl: string | null;
  outbox: string;
  /** How long `close` waits for emails that are being sent, in ms. Default 10 s. */
  closeTimeout?: number;
};

const CLOSE_TIMEOUT = 10_000;
/** How long emails may take to fail once their transport is closed, in ms. */
const LETTING_GO = 1_000;
const MOST_AT_ONCE = 3;
/** The shortest and, while emails wait, the longest time between two looks at the database, in ms. */
const LOOKS = { soonest: 50, latest: 60_000 };

/** Creates the mailer that the settings describe. */
export function openMailer(
  settings: Settings,
  joined: Pick<MailerOptions, "database" | "seal" | "admit" | "log">,
): Mailer {
  const { smtpUrl, mailFrom: from, outbox, now } = settings;
  return createMailer({ ...joined, smtpUrl, from, outbox, now, showsLinks: isDevelopment(settings) });
}

export function createMailer(options: MailerOptions) {
  const { from, now, closeTimeout = CLOSE_TIMEOUT } = options;
  const [transport, begun] = createMailTransport(options);
  const dispatch = createDispatch(options, transport);
  return {
    /**
     * Starts sending due emails and returns at once: no response waits for a mail server, and no response
     * time reveals whether an email went out.
     */
    sendDue: dispatch.sendDue,
    /**
     * Sends a test email, without further tries.
     * @throws if the server doesn't accept it within 2 minutes.
     */
    sendNow: (to: string, message: Message) =>
      transport.send({ to, message, at: now(), id: messageId(from, randomUUID()) }, { isCheck: true }),
    /** Resolves once every due email is sent, given up or scheduled for a later try. */
    async settled(): Promise<void> {
      await Promise.all([begun, dispatch.idle()]);
    },
    /** Checks that the mail server, or the outbox folder, would accept emails. @throws if it wouldn't. */
    verify: () => transport.verify(),
    /**
     * Waits a while for emails being sent; the rest stay in the database for another node or the next start.
     */
    async close(): Promise<void> {
      await within(closeTimeout, dispatch.idle());
      dispatch.stop();
      transport.close();
      await within(LETTING_GO, dispatch.idle());
      if (dispatch.unsent.size > 0) await logWaiting(options);
    },
  };
}

/** Claims and sends due emails, oldest first, a few at a time. */
function createDispatch(options: MailerOptions, transport: MailTransport) {
  const { database, log, now } = options;
  const stop = new AbortController();
  const stopping = stop.signal;
  const delivery = createDelivery(options, transport, { stopping, onError });
  const looks = createLooks(options, sendAllDue, { stopping, onError });
  const underWay = new Set<Promise<void>>();
  const heldBack = createLinesAMinute((leftOut) => log.warn(leftOut, MORE_HELD_BACK));

  function noteHeldBack(share: string): void {
    if (heldBack.takes(now())) log.warn({ share }, HELD_BACK);
  }

  async function sendAllDue(): Promise<void> {
    heldBack.tellLeftOut(now());
    while (!stopping.aborted) {
      const claimed = await claimNext(database, options, now());
      if (claimed === null) return;
      if ("unreadable" in claimed)
        log.error({ err: claimed.unreadable }, "An email that waits to be sent can't be read.");
      else if ("heldBack" in claimed) noteHeldBack(claimed.share);
      else begin(claimed);
      if (underWay.size >= MOST_AT_ONCE) await Promise.race(underWay);
    }
  }

  function begin(email: Claimed): void {
    const done: Promise<void> = delivery
      .deliver(email)
      .then(looks.planNext)
      .catch(onError)
      .finally(() => underWay.delete(done));
    underWay.add(done);
  }

  /**
   * Doesn't log a database that doesn't answer, which is logged elsewhere; waiting emails are tried again.
   */
  function onError(error: unknown): void {
    if (!(error instanceof DatabaseUnavailable) && !stopping.aborted)
      log.error({ err: error }, "Waiting emails could not be read.");
  }

  return {
    sendDue: looks.lookNow,
    unsent: delivery.unsent,
    async idle(): Promise<void> {
      while (looks.running() !== null || underWay.size > 0) await Promise.all([looks.running(), ...underWay]);
    },
    stop() {
      stop.abort();
      heldBack.tellLeftOut(Number.POSITIVE_INFINITY);
    },
  };
}

/** Runs `look` when asked to and when the next email is due, one at a time. */
function createLooks(
  { database, now }: MailerOptions,
  look: () => Promise<void>,
  { stopping, onError }: { stopping: AbortSignal; onError: (error: unknown) => void },
) {
  let running: Promise<void> | null = null;
  let asked = false;
  let timer: NodeJS.Timeout | undefined;
  stopping.addEventListener("abort", () => clearTimeout(timer));

  function lookNow(): void {
    asked = true;
    if (!stopping.aborted) running ??= run();
  }

  async function run(): Promise<void> {
    // Lets the response go first, so that its time doesn't even reveal the database query.
    await nextTurn();
    while (asked && !stopping.aborted) {
      asked = false;
      await look().then(planNext).catch(onError);
    }
    running = null;
  }

  async function planNext(): Promise<void> {
    const next = stopping.aborted ? null : await nextTryAt(database, now());
    if (next === null || stopping.aborted) return;
    clearTimeout(timer);
    timer = setTimeout(lookNow, Math.min(Math.max(next - now(), LOOKS.soonest), LOOKS.latest)).unref();
  }

  return { lookNow, planNext, running: () => running };
}

const HELD_BACK = "An email was held back: its address has had as many as it gets in an hour.";
const MORE_HELD_BACK = "More emails were held back than are logged.";

async function logWaiting({ database, log, now }: MailerOptions): Promise<void> {
  const waiting = await waitingEmails(database, now()).catch(() => null);
  if (waiting === null) return;
  const words = "The server stops with emails that are not sent yet; they go out once it runs again.";
  log.warn({ waiting: waiting.count }, words);
}

async function within(timeout: number, work: Promise<void>): Promise<void> {
  const done = new AbortController();
  const limit = wait(timeout, undefined, { signal: done.signal }).catch(() => {});
  await Promise.race([work, limit]);
  done.abort();
}

/**
 * Creates the transport, and a promise that resolves once the transport has finished its work at the start.
 */
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
