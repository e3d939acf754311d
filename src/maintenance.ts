import { opensSecondFactors, resealSecrets } from "./credentials/reseal.ts";
import { tellHeldBack } from "./credentials/send-emails.ts";
import { DatabaseUnavailable } from "./database/database.ts";
import type { HttpParts } from "./http/call.ts";
import { countWaiting } from "./mail/outgoing.ts";
import { prune } from "./sessions/prune.ts";

const MINUTE = 60_000;
/**
 * How long after the start leftovers of an earlier run are handled, in ms; most commands have exited by then.
 */
const FIRST_LOOK = 1_000;
/** Pruning rests four times as long as it works: it takes longer, but slows no requests. */
export const REST = 4;
/** The longest delay that a timer accepts, in ms. */
const LONGEST_TIMER = 2 ** 31 - 1;

type Work = (parts: HttpParts, stop: AbortSignal) => Promise<unknown>;

/** Checks at the start, and again each time before pruning; `clockAhead` itself warns if the clock is off. */
const AT_START: Work[] = [unlessDown(({ clockAhead }) => clockAhead()), unlessDown(resealAll)];

/** Checks done once, as soon as the database answers. */
const first = (startedAt: number): Work[] => [checkKey, (parts) => sendLeftEmails(parts, startedAt)];

/** Work done every LATCHKEY_PRUNE_INTERVAL (an hour; S11), in this order; runs never overlap. */
const HOURLY: Work[] = [...AT_START, pruneAndLog];

/** Work done every minute, or as often as pruning if that is more often. */
const EVERY_MINUTE: Work[] = [
  async ({ refusalLog, failureLog, settings }) => {
    for (const limited of [refusalLog, failureLog]) limited.tellLeftOut(settings.now());
  },
  (parts) => tellHeldBack(parts, parts.settings.now()),
  // Sends emails left by a crash or by another node.
  async ({ mailer }) => mailer.sendDue(),
];

/** Starts the server's periodic work. Returns a function that stops it and waits for hourly work under way. */
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

/** Skips the work if the database doesn't answer, which the operator has already been told. */
function unlessDown(work: Work): Work {
  return (parts, stop) =>
    work(parts, stop).catch((error: unknown) => {
      if (!(error instanceof DatabaseUnavailable)) throw error;
    });
}

/** Warns if the key has been replaced, before someone's code is refused because of it. */
async function checkKey(parts: HttpParts): Promise<void> {
  if (await opensSecondFactors(parts)) return;
  parts.log.warn(
    "LATCHKEY_SECRET_KEY (or the key file) is not the one that some second factors were encrypted with: their owners can't log in. Set it to new,old if you have the old one; latchkey doctor counts them.",
  );
}

/**
 * While the key is being changed, reseals everything with the first key, so that the old one can be removed.
 */
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
