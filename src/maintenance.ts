import { opensSecondFactors, resealSecrets } from "./credentials/reseal.ts";
import { tellHeldBack } from "./credentials/send-emails.ts";
import { DatabaseUnavailable } from "./database/database.ts";
import type { HttpParts } from "./http/call.ts";
import { countWaiting } from "./mail/outgoing.ts";
import { prune } from "./sessions/prune.ts";

const MINUTE = 60_000;
/** How soon after the start it looks at what an earlier run left, in ms. A command is over by then, and leaves it to the server. */
const FIRST_LOOK = 1_000;
/** Of five milliseconds pruning takes one at most: it goes on for longer, and nobody notices. */
export const REST = 4;
/** The longest time that a timer takes; ms. */
const LONGEST_TIMER = 2 ** 31 - 1;

type Work = (parts: HttpParts, stop: AbortSignal) => Promise<unknown>;

/** What a server looks at when it starts, and again each time before it prunes; asking for the clock warns of it. */
const AT_START: Work[] = [unlessDown(({ clockAhead }) => clockAhead()), unlessDown(resealAll)];

/** What it looks at once, as soon as the database answers. */
const first = (startedAt: number): Work[] => [checkKey, (parts) => sendLeftEmails(parts, startedAt)];

/** What a server does every LATCHKEY_PRUNE_INTERVAL (an hour; S11), in this order, and never twice at once. */
const HOURLY: Work[] = [...AT_START, pruneAndLog];

/** What it does every minute, and more often where it prunes more often. */
const EVERY_MINUTE: Work[] = [
  async ({ refusalLog, failureLog, settings }) => {
    for (const limited of [refusalLog, failureLog]) limited.tellLeftOut(settings.now());
  },
  (parts) => tellHeldBack(parts, parts.settings.now()),
  // Emails that were written before a crash, or that another node left.
  async ({ mailer }) => mailer.sendDue(),
];

/** Begins what a server does by itself. Returns how to stop, which waits for what is under way. */
export function startMaintenance(parts: HttpParts, onError: (error: unknown) => void): () => Promise<void> {
  const { pruneInterval, now } = parts.settings;
  const startedAt = now();
  const stop = new AbortController();
  const doAll = async (works: Work[]) => {
    for (const work of works) await work(parts, stop.signal);
  };
  let running = doAll(AT_START).catch(onError);
  const hourly = every(pruneInterval, () => {
    running = running.then(() => doAll(HOURLY)).catch(onError);
  });
  const minutely = every(Math.min(pruneInterval, MINUTE), () =>
    parts.inBackground(() => doAll(EVERY_MINUTE)),
  );
  let firstLook: NodeJS.Timeout;
  const lookFirst = () => {
    const look = () => doAll(first(startedAt)).catch(lookAgain);
    firstLook = setTimeout(() => parts.inBackground(look), FIRST_LOOK).unref();
  };
  const lookAgain = (error: unknown) => {
    if (!(error instanceof DatabaseUnavailable)) throw error;
    if (!stop.signal.aborted) lookFirst();
  };
  lookFirst();
  return async () => {
    clearTimeout(firstLook);
    clearInterval(hourly);
    clearInterval(minutely);
    stop.abort();
    await running;
  };
}

function every(interval: number, work: () => void): NodeJS.Timeout {
  return setInterval(work, Math.min(interval, LONGEST_TIMER)).unref();
}

/** Skips the work where the database doesn't answer, which the operator has been told. */
function unlessDown(work: Work): Work {
  return (parts, stop) =>
    work(parts, stop).catch((error: unknown) => {
      if (!(error instanceof DatabaseUnavailable)) throw error;
    });
}

/** A key that was replaced is noticed before somebody's code is refused. */
async function checkKey(parts: HttpParts): Promise<void> {
  if (await opensSecondFactors(parts)) return;
  parts.log.warn(
    "LATCHKEY_SECRET_KEY (or the key file) is not the one that some second factors were encrypted with: their owners can't log in. Set it to new,old if you have the old one; latchkey doctor counts them.",
  );
}

/** While the key is being changed, what is sealed moves to the first one; then the one after it can be taken out. */
async function resealAll(parts: HttpParts, stop: AbortSignal): Promise<void> {
  if ((parts.settings.secretKeys?.length ?? 0) < 2) return;
  const { resealed, unreadable } = await resealSecrets(parts, stop);
  if (stop.aborted) return;
  parts.log.info(
    { resealed, unreadable },
    "LATCHKEY_SECRET_KEY: second factors and waiting emails that can be read are sealed with the first key in it; the one after it can be removed.",
  );
}

async function pruneAndLog(parts: HttpParts, stop: AbortSignal): Promise<void> {
  const pruned = await prune(parts, parts.settings.now(), { stop, rest: REST });
  if (pruned.sessions + pruned.rows > 0) parts.log.info(pruned, "Pruned.");
}

async function sendLeftEmails(
  { database, log, mailer, settings }: HttpParts,
  startedAt: number,
): Promise<void> {
  const waiting = await countWaiting(database, settings.now(), { writtenBefore: startedAt });
  if (waiting > 0) log.info({ waiting }, "Emails of an earlier run wait to be sent.");
  mailer.sendDue();
}
