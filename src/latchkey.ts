import { setTimeout as wait } from "node:timers/promises";
import PQueue from "p-queue";
import { type Logger, pino } from "pino";
import type { Authentication, Session, SignedIn } from "./answers.ts";
import { readSecretKeys } from "./credentials/key-file.ts";
import { createAttempts } from "./credentials/limits/attempts.ts";
import { createTurns } from "./credentials/limits/turns.ts";
import { openBreachedPasswords } from "./credentials/passwords/breached-passwords.ts";
import { foreignKindsLeft } from "./credentials/passwords/imported-kinds.ts";
import { createPasswordHashes } from "./credentials/passwords/password-hash.ts";
import { createPasswordStrength } from "./credentials/passwords/password-strength.ts";
import { createProvider } from "./credentials/providers/provider.ts";
import { createSeal } from "./credentials/seal.ts";
import { admitByBudget } from "./credentials/send-emails.ts";
import { openDatabase } from "./database/open.ts";
import { sessionAnswer } from "./http/answers.ts";
import { callbackUrl } from "./http/api/oidc.ts";
import { createApp, type Fetch } from "./http/app.ts";
import type { HttpParts } from "./http/call.ts";
import { watchClock } from "./http/clock-watch.ts";
import { createCookies } from "./http/cookies.ts";
import { createFailureLog } from "./http/log/failure-log.ts";
import { createRefusalLog } from "./http/log/refusal-log.ts";
import { readDashboard } from "./http/pages/dashboard.ts";
import { watchOrigins } from "./http/request/foreign-origin.ts";
import { watchNetworks } from "./http/request/network.ts";
import { headOf, type NodeRequestHead, type RequestHead } from "./http/request/request-head.ts";
import { authenticateRequest, requireSession } from "./http/require-session.ts";
import { openMailer } from "./mail/mailer.ts";
import { startMaintenance } from "./maintenance.ts";
import {
  insecureUrlWarning,
  isDevelopment,
  type LatchkeyOptions,
  readSettings,
  type Settings,
} from "./options/options.ts";
import { createCopyNotices } from "./recovery/copied-cookie.ts";
import { createLastUsed } from "./sessions/last-used.ts";
import { listSessions } from "./sessions/list.ts";
import { EndedEvents, type EndedListener } from "./sessions/live/ended-events.ts";
import { LiveStreams } from "./sessions/live/live-streams.ts";
import { endAny, endInTransaction } from "./sessions/log-out.ts";

/** How long to wait for a response to be sent once its handler is done, in ms. */
const ANSWER_SENT = 20;

export type Latchkey = {
  /**
   * Answers all requests under the base URL. `remote` is the address of the connection's peer. Without it,
   * all requests count as coming from one peer, or from a trusted proxy if LATCHKEY_TRUSTED_PROXIES is set.
   */
  fetch: Fetch;
  /**
   * Says who sent a request: a `Request`, or one of Node's own, such as a WebSocket's.
   * @throws if the database doesn't answer; that doesn't mean "signed out".
   */
  authenticate(request: RequestHead | NodeRequestHead): Promise<Authentication>;
  /**
   * Says who sent a request (of either kind), or returns the response to send if nobody is signed in: a
   * redirect to the login page, which leads back afterwards, if a browser navigates to a page; 401 for other
   * requests; 503 if the database doesn't answer.
   */
  requireSession(request: RequestHead | NodeRequestHead): Promise<SignedIn | Response>;
  /**
   * Calls the listener for every session that ends from now on, on any node, usually within a second, so that
   * the app can close its own sockets. The app must still check each request. Errors that a listener throws
   * or rejects with are logged. Returns a function that stops it.
   */
  on(event: "session-ended", listener: EndedListener): () => void;
  readonly sessions: {
    list(accountId: string): Promise<Session[]>;
    /** Ends one session of any account. False if there is no such session. */
    end(sessionId: string, by?: string): Promise<boolean>;
    /** Ends all sessions of an account except one. Returns how many. */
    endOthers(accountId: string, exceptSessionId: string, by?: string): Promise<number>;
    endAll(accountId: string, by?: string): Promise<number>;
  };
  readonly settings: Settings;
  /** @internal The parts that Latchkey is made of; for this package's command line. */
  readonly parts: HttpParts;
  /**
   * Closes the event streams of open pages, which would keep a server from stopping; pages reconnect later.
   */
  closeStreams(): void;
  /** Finishes pending writes and emails, and closes the database. */
  close(): Promise<void>;
};

/** Wires all parts together; the only place that does. @throws SettingError, DatabaseUnusable */
export async function openLatchkey(options: LatchkeyOptions = {}): Promise<Latchkey> {
  const settings = readSettings(options);
  const log = createLog(settings);
  const logError = (what: string) => (error: unknown) => log.error({ err: error }, what);
  const { baseUrl, breachedPasswords, name } = settings;
  const names = [baseUrl.hostname, name].filter((one) => one !== null);
  const breached = breachedPasswords === null ? null : await openBreachedPasswords(breachedPasswords);
  const database = await openDatabase(settings, (level, words, cause) => log[level]({ err: cause }, words));
  const seal = createSeal(await readSecretKeys(settings, database).catch(closing(database)));
  const lastUsed = createLastUsed(database, settings, logError("Last-used times could not be written."));
  const background = createBackground(logError("Background work failed."));
  const sessionParts = { settings, database, lastUsed };
  const live = new LiveStreams(sessionParts, logError("Open pages could not be notified."));
  const ended = new EndedEvents(sessionParts, logError("Ended sessions could not be reported."));
  const admit = admitByBudget({ settings, seal });
  const mailer = openMailer(settings, { database, seal, admit, log });
  const parts: HttpParts = {
    ...sessionParts,
    live,
    copyNotices: createCopyNotices(),
    changes: createTurns("Too many changes of one session are under way."),
    refusalLog: createRefusalLog(log),
    failureLog: createFailureLog(log),
    log,
    mailer,
    attempts: createAttempts(database, settings.rateLimits),
    passwords: createPasswordHashes(() => foreignKindsLeft(database)),
    strength: createPasswordStrength(settings.passwordMinLength, names, breached),
    seal,
    cookies: createCookies(settings, seal.hmac),
    providers: new Map(
      settings.oidc.map((one) => [one.id, createProvider(one, callbackUrl(settings, one.id))]),
    ),
    clockAhead: watchClock({ database, settings, log }),
    ...watchNetworks(settings, log),
    warnOnForeignOrigin: watchOrigins(settings, log),
    ...background,
  };
  const stopMaintenance = startMaintenance(parts, logError("Maintenance failed."));
  warnAtStart(settings, log);

  return {
    fetch: createApp(parts, readDashboard(settings)),
    authenticate: (request) => authenticateRequest(parts, request),
    requireSession: async (request) => requireSession(parts, headOf(request)),
    on: (event, listener) => ended.on(event, listener),
    sessions: sessionsInCode(parts),
    settings,
    parts,
    closeStreams: () => live.close(),
    close: once(async () => {
      live.close();
      await Promise.all([stopMaintenance(), ended.close()]);
      await parts.settled();
      for (const limited of [parts.refusalLog, parts.failureLog])
        limited.tellLeftOut(Number.POSITIVE_INFINITY);
      await Promise.all([mailer.close(), lastUsed.close(), parts.strength.close()]);
      await database.close();
    }),
  };
}

/** Rethrows an error after closing the database. */
function closing(database: HttpParts["database"]): (error: unknown) => Promise<never> {
  return async (error) => {
    await database.close();
    throw error;
  };
}

/** How much of the log is kept in memory while it can't be written, in bytes; further lines are dropped. */
const LOG_KEPT = 1_000_000;

/** Logs JSON lines to standard error. If they can't be written, as on a full disk, Latchkey keeps running. */
function createLog({ logLevel }: Settings): Logger {
  const lines = pino.destination({ dest: 2, sync: true, maxLength: LOG_KEPT });
  // An error of the log itself can't be reported. Kept lines are written again with the next line. A dropped
  // line doesn't trigger that by itself, hence the empty write.
  lines.on("error", () => {});
  lines.on("drop", () => lines.write(""));
  return pino({ name: "latchkey", level: logLevel }, lines);
}

/** Runs work that no response waits for; closing Latchkey waits for all of it. */
function createBackground(
  onError: (error: unknown) => void,
): Pick<HttpParts, "inBackground" | "afterAnswer" | "settled"> {
  const all = new PQueue();
  const inBackground = (work: () => Promise<void>) => void all.add(() => work().catch(onError));
  return {
    inBackground,
    afterAnswer: (work) => inBackground(() => wait(ANSWER_SENT).then(work)),
    settled: () => all.onIdle(),
  };
}

/** Runs `work` on the first call; later calls get the same promise. */
function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= work();
    return done;
  };
}

/** A sentence on where emails go without a mail server; null if there is one. */
export function whereEmailsGo(settings: Settings): string | null {
  if (settings.smtpUrl !== null) return null;
  const written = `SMTP_URL is not set: emails are written to ${settings.outbox}`;
  if (!isDevelopment(settings)) return written;
  return `${written}; this log has their links, and ${settings.baseUrl.href}/dev/emails shows them, unless a proxy, a container or Next.js is in between`;
}

/** Warns of settings that are dangerous. */
function warnAtStart(settings: Settings, log: HttpParts["log"]): void {
  const { baseUrl, rateLimits } = settings;
  const warning = insecureUrlWarning(baseUrl);
  if (warning !== null) log.warn(warning);
  if (!rateLimits) log.warn("LATCHKEY_RATE_LIMITS is off: anyone may guess as fast as they like.");
}

function sessionsInCode(parts: HttpParts): Latchkey["sessions"] {
  const { settings } = parts;
  const doer = (name?: string) => ({
    by: name === undefined ? null : { name, isDevice: false },
    at: settings.now(),
  });
  return {
    async list(accountId) {
      return (await listSessions(parts, idOf("an account", accountId), settings.now())).map((session) =>
        sessionAnswer(session, ""),
      );
    },
    end: async (id, by) => endAny(parts, idOf("a session", id), doer(by)),
    async endOthers(account, except, by) {
      const accountId = idOf("an account", account);
      const whose = { accountId, exceptIds: [idOf("a session", except)] } as const;
      return endInTransaction(parts, "others_logged_out", whose, doer(by));
    },
    endAll: async (account, by) =>
      endInTransaction(parts, "all_logged_out", { accountId: idOf("an account", account) }, doer(by)),
  };
}

/**
 * @throws if an untyped caller passes something else, such as the account object, which would match no
 * session.
 */
function idOf(what: string, given: unknown): string {
  if (typeof given === "string") return given;
  const got = typeof given === "object" && given !== null ? "an object" : `"${given}"`;
  throw new TypeError(`latchkey.sessions takes the id of ${what}, which is a string (got ${got}).`);
}
