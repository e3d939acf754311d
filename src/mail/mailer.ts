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

/** Sends the emails that wait in the database, or puts them into the outbox folder. */
export type Mailer = ReturnType<typeof createMailer>;

export type MailerOptions = DeliveryOptions & {
  seal: EmailSeal;
  admit: Admit;
  /** Without it emails go to the outbox. */
  smtpUrl: string | null;
  outbox: string;
  /** How long `close` tries to send what it has begun, in ms. Default 10 s. */
  closeTimeout?: number;
};

const CLOSE_TIMEOUT = 10_000;
/** How long a transport that was closed may take to let go, in ms. */
const LETTING_GO = 1_000;
const MOST_AT_ONCE = 3;
/** How soon the database is looked at again at the earliest and, while emails wait, at the latest, in ms. */
const LOOKS = { soonest: 50, latest: 60_000 };

/** The mailer that the settings name. */
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
    /** Begins to send what is due and returns at once: no answer waits for a mail server, and none tells by its time whether an email went out. */
    sendDue: dispatch.sendDue,
    /** Sends a test email, now or never. @throws where it isn't taken within minutes. */
    sendNow: (to: string, message: Message) =>
      transport.send({ to, message, at: now(), id: messageId(from, randomUUID()) }, { isCheck: true }),
    /** Resolves when nothing that is due is left: each is sent, given up, or has its next try later. */
    async settled(): Promise<void> {
      await Promise.all([begun, dispatch.idle()]);
    },
    /** Asks the mail server, or the folder, whether it would take email. @throws where it wouldn't. */
    verify: () => transport.verify(),
    /** Sends what it has begun to, for a while; the rest waits in the database for the next start, or another node. */
    async close(): Promise<void> {
      await within(closeTimeout, dispatch.idle());
      dispatch.stop();
      transport.close();
      await within(LETTING_GO, dispatch.idle());
      if (dispatch.unsent.size > 0) await logWaiting(options);
    },
  };
}

/** Claims what is due, in the order of writing; a few emails at once are on their way. */
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

  /** Of a database that doesn't answer the log has heard; what waits there is tried again. */
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
    // Not even the look at the database may be seen in the time of the answer.
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

/** The transport, and what has to be done before it counts as settled. */
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
