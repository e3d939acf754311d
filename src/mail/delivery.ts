import { domainToASCII } from "node:url";
import { type Database, MAY_BE_LOST, type Write } from "../database/database.ts";
import type { Sender } from "../options/kinds.ts";
import { codesOf, harmless, isPermanent, NoStartTls, waitsForOperator } from "./failure.ts";
import { CLAIM_LIFETIME, type Claimed, deleteEmail, type NextTry, postpone } from "./outgoing.ts";
import type { MailTransport } from "./transport.ts";

const TEN_MINUTES = 600_000;
const RETRY_WAITS = [1_000, 5_000, 30_000, 120_000, ...Array<number>(144).fill(TEN_MINUTES)];

export type Log = Record<"info" | "warn" | "error", (facts: object, words: string) => void>;

export type DeliveryOptions = {
  database: Database;
  from: Sender;
  log: Log;
  /**
   * Logs each email's subject and link. Only for a developer's machine, since a link is a secret. Default
   * false.
   */
  showsLinks?: boolean;
  now: () => number;
  /**
   * The waits before each further try after a temporary failure, in ms; after the last, the email is given
   * up. Default 1 s, 5 s, 30 s, 2 min, then 10 min for a day.
   */
  retryWaits?: readonly number[];
};

/**
 * Tries once to send a claimed email, and records the result: sent, given up, or to be tried later. A failure
 * after `stopping` is aborted is due to the closed transport, and doesn't count.
 */
export function createDelivery(
  options: DeliveryOptions,
  transport: MailTransport,
  { stopping, onError }: { stopping: AbortSignal; onError: (error: unknown) => void },
) {
  const { database, from, log, now } = options;
  /** Sent, but not yet recorded as sent in the database; this process never sends these again. */
  const sent = new Set<string>();
  /** Emails that this process has begun to send and that are neither sent nor given up. */
  const unsent = new Set<string>();

  /** Records a result. If a power failure undoes it, the email is sent again. */
  const note = (work: (write: Write) => Promise<void>) => database.write(work, MAY_BE_LOST);

  async function deliver(email: Claimed): Promise<void> {
    unsent.add(email.id);
    const failure = sent.has(email.id) ? null : await attempt(email);
    // The transport was closed meanwhile: not a failure, so the email is due again at once, on any node.
    if (failure !== null && stopping.aborted)
      return note((write) => postpone(write, email, { next_try_at: now() }));
    const next = failure === null ? null : afterFailure(options, email, failure.error);
    if (next !== null) return note((write) => postpone(write, email, next));
    unsent.delete(email.id);
    await note((write) => deleteEmail(write, email.id));
    sent.delete(email.id);
  }

  /** Renews the claim while the email is being sent, so that no other sender takes it. */
  async function attempt(email: Claimed): Promise<{ error: unknown } | null> {
    const { to, message, at, uuid } = email;
    const keep = setInterval(() => {
      const later = { next_try_at: now() + CLAIM_LIFETIME };
      note((write) => postpone(write, email, later)).catch(onError);
    }, CLAIM_LIFETIME / 4).unref();
    try {
      await transport.send({ to, message, at, id: messageId(from, uuid) });
      sent.add(email.id);
      if (options.showsLinks) log.info({ link: message.link }, `Email: ${message.subject}`);
      return null;
    } catch (error) {
      return { error };
    } finally {
      clearInterval(keep);
    }
  }

  return { deliver, unsent: unsent as ReadonlySet<string> };
}

/** When to try a failed email again, or null if it is given up; logs either. */
function afterFailure(
  { log, now, retryWaits = RETRY_WAITS }: DeliveryOptions,
  { tries, expiresAt }: Claimed,
  error: unknown,
): NextTry | null {
  const facts = { ...harmless(error), tries };
  const waitsLong = waitsForOperator(error);
  const pause = waitsLong ? TEN_MINUTES : (retryWaits[tries - 1] ?? Number.POSITIVE_INFINITY);
  if (isPermanent(error) || now() + pause >= expiresAt) {
    log.error(facts, "An email could not be sent and was given up.");
    return null;
  }
  const words = error instanceof NoStartTls ? error.message : "An email could not be sent; trying again.";
  log[waitsLong ? "error" : "warn"](facts, words);
  const next = { next_try_at: now() + pause, failure: codesOf(error) };
  // Tries that wait for the operator don't count: the usual waits begin once the mail server accepts this
  // sender.
  return waitsLong ? { ...next, tries: 1 } : next;
}

/** A Message-ID at the sender's domain, in ASCII as headers require. */
export function messageId({ address }: Sender, uuid: string): string {
  const domain = address.slice(address.lastIndexOf("@") + 1);
  return `<${uuid}@${domainToASCII(domain) || domain}>`;
}
