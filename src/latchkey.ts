import { pino } from "pino";
import { createAttempts } from "./accounts/attempts.ts";
import { readSecretKeys } from "./accounts/key-file.ts";
import { createPasswordHashes } from "./accounts/password-hash.ts";
import { createPasswordStrength } from "./accounts/password-strength.ts";
import { createProvider } from "./accounts/provider.ts";
import { createSeal } from "./accounts/seal.ts";
import { openDatabase } from "./database/open.ts";
import type { AccountAnswer, SessionAnswer } from "./http/answers.ts";
import { accountAnswer, sessionAnswer, signedOutFacts } from "./http/answers.ts";
import { createApp, type Fetch } from "./http/app.ts";
import type { HttpParts } from "./http/call.ts";
import { createCookies } from "./http/cookies.ts";
import { readDashboard } from "./http/dashboard.ts";
import { callbackUrl } from "./http/handlers/oidc.ts";
import { networkOf } from "./http/network.ts";
import { inTheClear, otherAddress, reachedElsewhere } from "./http/reached-at.ts";
import { createMailer } from "./mail/mailer.ts";
import type { LatchkeyOptions, Settings } from "./options.ts";
import { readSettings } from "./options.ts";
import type { EndReason } from "./refusals.ts";
import { authenticate } from "./sessions/authenticate.ts";
import { endBecauseOf, endSessions } from "./sessions/endings.ts";
import { createLastUsed } from "./sessions/last-used.ts";
import { listSessions } from "./sessions/list.ts";
import { LiveStreams } from "./sessions/live.ts";
import { prune } from "./sessions/prune.ts";

export type Latchkey = {
  /** Everything under the base URL. `remote` is the peer's address, where the server below knows it. */
  fetch: Fetch;
  /** Who a request comes from. @throws where the database doesn't answer; that is not "signed out". */
  authenticate(
    request: Request,
  ): Promise<
    | { account: AccountAnswer; session: SessionAnswer }
    | { reason: EndReason | "none"; by?: string; at?: string }
  >;
  readonly sessions: {
    list(accountId: string): Promise<SessionAnswer[]>;
    /** Ends one session, whosever it is. False where there is none. */
    end(sessionId: string, by?: string): Promise<boolean>;
    /** Ends all but one. Returns how many. */
    endOthers(accountId: string, exceptSessionId: string, by?: string): Promise<number>;
    endAll(accountId: string, by?: string): Promise<number>;
  };
  readonly settings: Settings;
  /** What the rules work with; for the command line of this package. */
  readonly parts: HttpParts;
  /** Tells the live streams to come back later; the rest goes on. */
  closeStreams(): void;
  /** Writes what is still to be written, sends what is still to be sent, closes the database. */
  close(): Promise<void>;
};

/** Joins the parts. The only place where they are joined. @throws SettingError, DatabaseUnusable */
export async function createLatchkey(options: LatchkeyOptions = {}): Promise<Latchkey> {
  const settings = readSettings(options);
  const log = pino({ name: "latchkey", level: settings.logLevel }, pino.destination({ dest: 2, sync: true }));
  const complain = (what: string) => (error: unknown) => log.error({ err: error }, what);
  const database = await openDatabase(settings, (error) =>
    log.warn(
      { err: error.cause },
      "DATABASE_URL: the database does not answer yet; answering 503 until it does.",
    ),
  );
  const lastUsed = createLastUsed(database, settings.now, complain("Last-used times could not be written."));
  const background = new Set<Promise<void>>();
  const live = new LiveStreams({ settings, database, lastUsed }, complain("Open pages could not be told."));
  const mailer = createMailer({
    smtpUrl: settings.smtpUrl,
    from: settings.mailFrom,
    outbox: settings.outbox,
    log,
    now: settings.now,
  });
  const parts: HttpParts = {
    settings,
    database,
    lastUsed,
    live,
    log,
    mailer,
    attempts: createAttempts(database, settings.rateLimits),
    passwords: createPasswordHashes(),
    strength: createPasswordStrength(settings.passwordMinLength),
    seal: createSeal(readSecretKeys(settings)),
    cookies: createCookies(settings),
    providers: new Map(
      settings.oidc.map((one) => [one.id, createProvider(one, callbackUrl(settings, one.id))]),
    ),
    networkOf: readNetwork(settings, log),
    noticeAddress: watchAddress(settings, log),
    afterwards(work) {
      const done = work()
        .catch(complain("Work after an answer failed."))
        .finally(() => background.delete(done));
      background.add(done);
    },
  };
  const stopPruning = pruneEvery(settings.pruneInterval, parts, complain("Pruning failed."));
  const clear = inTheClear(settings.baseUrl);
  if (clear !== null) log.warn(clear);
  if (!settings.rateLimits) log.warn("LATCHKEY_RATE_LIMITS is off: anyone may guess as fast as they like.");

  return {
    fetch: createApp(parts, readDashboard(settings)),
    authenticate: (request) => whoIs(parts, request),
    sessions: sessionsInCode(parts),
    settings,
    parts,
    closeStreams: () => live.close(),
    async close() {
      live.close();
      await stopPruning();
      await Promise.all(background);
      await Promise.all([mailer.close(), lastUsed.close(), parts.strength.close()]);
      await database.close();
    },
  };
}

async function whoIs(parts: HttpParts, request: Request): ReturnType<Latchkey["authenticate"]> {
  const now = parts.settings.now();
  const answer = await authenticate(parts, parts.cookies.tokens(request.headers.get("cookie")), now);
  if (!("session" in answer)) return signedOutFacts(answer);
  const { session } = answer;
  parts.lastUsed.touch(session.id, session.lastUsedAt, now);
  return { account: accountAnswer(session), session: sessionAnswer(session, session.id) };
}

function sessionsInCode(parts: HttpParts): Latchkey["sessions"] {
  const { database, settings } = parts;
  const ending = (by?: string) => ({ by: by ?? null, at: settings.now() });
  return {
    async list(accountId) {
      return (await listSessions(parts, accountId, settings.now())).map((session) =>
        sessionAnswer(session, ""),
      );
    },
    async end(id, by) {
      return (
        (await database.write((write) =>
          endSessions(write, { id }, { reason: "signed_out_remotely", ...ending(by) }),
        )) > 0
      );
    },
    endOthers: (accountId, exceptId, by) =>
      database.write((write) =>
        endBecauseOf(write, "others_logged_out", { accountId, exceptId, ...ending(by) }),
      ),
    endAll: (accountId, by) =>
      database.write((write) => endBecauseOf(write, "ended_by_operator", { accountId, ...ending(by) })),
  };
}

function readNetwork(settings: Settings, log: HttpParts["log"]): HttpParts["networkOf"] {
  let warned = false;
  return (request, remote) =>
    networkOf(remote, request.headers.get("x-forwarded-for"), settings.trustedProxies, (proxy) => {
      if (!warned)
        log.warn(
          { proxy },
          "X-Forwarded-For came from a proxy that LATCHKEY_TRUSTED_PROXIES doesn't name; it is ignored, and such requests count against no network limit.",
        );
      warned = true;
    });
}

function watchAddress(settings: Settings, log: HttpParts["log"]): HttpParts["noticeAddress"] {
  let warned = false;
  return (request, remote) => {
    const seen = warned ? null : reachedElsewhere(request, remote, settings);
    if (seen === null) return;
    log.warn(otherAddress(seen, settings));
    warned = true;
  };
}

function pruneEvery(
  interval: number,
  parts: HttpParts,
  onError: (error: unknown) => void,
): () => Promise<void> {
  const stop = new AbortController();
  let running: Promise<void> = Promise.resolve();
  const run = async () => {
    const pruned = await prune(parts, parts.settings.now(), stop.signal);
    if (pruned.sessions + pruned.rows > 0) parts.log.info(pruned, "Pruned.");
  };
  const timer = setInterval(() => {
    running = running.then(run).catch(onError);
  }, interval);
  timer.unref();
  return async () => {
    clearInterval(timer);
    stop.abort();
    await running;
  };
}
