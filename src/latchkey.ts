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

/** How long an answer may take to be on its way once its handler is done, in ms. */
const ANSWER_SENT = 20;

export type Latchkey = {
  /**
   * Everything under the base URL. `remote` is the address at the other end of the connection. Without it, every
   * request counts as coming from one peer, or, where LATCHKEY_TRUSTED_PROXIES is set, as coming from such a proxy.
   */
  fetch: Fetch;
  /**
   * Who a request comes from: a `Request`, or one of Node's own, such as that of a WebSocket.
   * @throws where the database doesn't answer; that is not "signed out".
   */
  authenticate(request: RequestHead | NodeRequestHead): Promise<Authentication>;
  /**
   * Who a request (either kind) comes from, or the answer where nobody is signed in: a redirect to the login page,
   * which leads back, for a browser that goes to a page; 401 for anything else; 503 where the database doesn't answer.
   */
  requireSession(request: RequestHead | NodeRequestHead): Promise<SignedIn | Response>;
  /**
   * Calls the listener for every session that ends from now on, on whichever node, usually within a second, so
   * that the app can close its own sockets. Checking each request stays necessary. What a listener throws, or
   * rejects with, is logged. Returns a function that stops it.
   */
  on(event: "session-ended", listener: EndedListener): () => void;
  readonly sessions: {
    list(accountId: string): Promise<Session[]>;
    /** Ends one session of any account. False where there is none. */
    end(sessionId: string, by?: string): Promise<boolean>;
    /** Ends all except one. Returns how many. */
    endOthers(accountId: string, exceptSessionId: string, by?: string): Promise<number>;
    endAll(accountId: string, by?: string): Promise<number>;
  };
  readonly settings: Settings;
  /** @internal What the rules work with; for the command line of this package. */
  readonly parts: HttpParts;
  /** Ends the streams of open pages, which come back later. For a server that stops: they would hold it up. */
  closeStreams(): void;
  /** Finishes what is still to be written and sent, and closes the database. */
  close(): Promise<void>;
};

/** Joins the parts; no other place does. @throws SettingError, DatabaseUnusable */
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

/** Throws on, once the database is closed. */
function closing(database: HttpParts["database"]): (error: unknown) => Promise<never> {
  return async (error) => {
    await database.close();
    throw error;
  };
}

/** How much of the log waits in memory while it can't be written, in bytes; beyond that, lines are left out. */
const LOG_KEPT = 1_000_000;

/** JSON lines on standard error. Where they can't be written, as on a full disk, Latchkey goes on all the same. */
function createLog({ logLevel }: Settings): Logger {
  const lines = pino.destination({ dest: 2, sync: true, maxLength: LOG_KEPT });
  // Nobody could be told. The lines are tried again with the next one, and also with one that is left out, which
  // would otherwise not touch the file any more.
  lines.on("error", () => {});
  lines.on("drop", () => lines.write(""));
  return pino({ name: "latchkey", level: logLevel }, lines);
}

/** Work that no answer waits for; a stop waits for all of it. */
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

/** Runs `work` at the first call; later ones get the same promise. */
function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= work();
    return done;
  };
}

/** Where emails go without a mail server; null where there is one. */
export function whereEmailsGo(settings: Settings): string | null {
  if (settings.smtpUrl !== null) return null;
  const shown = isDevelopment(settings) ? `; ${settings.baseUrl.href}/dev/emails shows them` : "";
  return `SMTP_URL is not set: emails are written to ${settings.outbox}${shown}`;
}

/** Warns of settings that are dangerous. */
function warnAtStart(settings: Settings, log: HttpParts["log"]): void {
  const { baseUrl, rateLimits } = settings;
  const warning = insecureUrlWarning(baseUrl);
  if (warning !== null) log.warn(warning);
  if (!rateLimits) log.warn("LATCHKEY_RATE_LIMITS is off: anyone may guess as fast as they like.");
}

function sessionsInCode(parts: HttpParts): Latchkey["sessions"] {
  const { database, settings } = parts;
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
    end: async (id, by) => endAny(database, idOf("a session", id), doer(by)),
    async endOthers(account, except, by) {
      const accountId = idOf("an account", account);
      const whose = { accountId, exceptIds: [idOf("a session", except)] } as const;
      return endInTransaction(database, "others_logged_out", whose, doer(by));
    },
    endAll: async (account, by) =>
      endInTransaction(database, "all_logged_out", { accountId: idOf("an account", account) }, doer(by)),
  };
}

/** @throws where a caller without types gave something else, such as the account itself: it would end nothing. */
function idOf(what: string, given: unknown): string {
  if (typeof given === "string") return given;
  const got = typeof given === "object" && given !== null ? "an object" : `"${given}"`;
  throw new TypeError(`latchkey.sessions takes the id of ${what}, which is a string (got ${got}).`);
}
