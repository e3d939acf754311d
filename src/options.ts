import { isIP } from "node:net";
import { resolve } from "node:path";
import { refuseUnknownOptions } from "./option-names.ts";
import type { OidcProvider, OidcProviderOptions } from "./option-oidc.ts";
import { oidcFromEnvironment, readOidcProviders } from "./option-oidc.ts";
import type { BaseUrl, DatabaseUrl, Networks } from "./option-readers.ts";
import {
  readBaseUrl,
  readDatabaseUrl,
  readDuration,
  readKeys,
  readList,
  readNetworks,
  readOneOf,
  readOrigin,
  readPostgresUrl,
  readSender,
  readWholeNumber,
  SettingError,
} from "./option-readers.ts";

/**
 * Everything that can be set, as options in code. Each has the same meaning as its environment
 * variable; durations take milliseconds or `"500ms"`, `"5s"`, `"10m"`, `"12h"`, `"30d"`; lists take an
 * array or a text with commas.
 */
export type LatchkeyOptions = {
  /** `PORT`: where `serve` listens. Default 3000. */
  port?: number | string;
  /** `HOST`. Default `127.0.0.1`. */
  host?: string;
  /** `BASE_URL`: the public origin, with a path where Latchkey is mounted below one. Default `http://localhost:$PORT`. */
  baseUrl?: string;
  /** `DATABASE_URL`: `sqlite:./file.db` or `postgres://…`. Default `sqlite:./latchkey-data/latchkey.db`. */
  databaseUrl?: string;
  /** `LATCHKEY_LISTEN_URL`: a direct `postgres://…` line for LISTEN where `databaseUrl` goes through a pooler. Default: `databaseUrl`. */
  listenUrl?: string;
  /**
   * `SMTP_URL`. Without it mails are written to the outbox folder. To another machine, `smtp://` insists on
   * STARTTLS, unless the address ends with `?tls=optional`.
   */
  smtpUrl?: string;
  /** `MAIL_FROM`. Default `Latchkey <latchkey@localhost>`. */
  mailFrom?: string;
  /** `LATCHKEY_OUTBOX`: folder of `.eml` files. Default `./latchkey-data/outbox`. */
  outbox?: string;
  /** `LATCHKEY_SESSION_LIFETIME`: absolute, at most 30 days. Default `30d`. */
  sessionLifetime?: number | string;
  /** `LATCHKEY_IDLE_TIMEOUT`: ends a session unused for so long, at least 5 minutes. Default `off`. */
  idleTimeout?: number | string;
  /** `LATCHKEY_PRUNE_INTERVAL`: how often expired rows are deleted. Default `1h`. */
  pruneInterval?: number | string;
  /** `LATCHKEY_SESSION_SCOPE`: what a new sign-in replaces. Default `browser-os`. */
  sessionScope?: "browser-os" | "device";
  /** `LATCHKEY_SIGN_UP`. Default `open`. */
  signUp?: "open" | "verify-first" | "closed";
  /** `LATCHKEY_RETURN_ORIGINS`: other origins that `next` may lead to after a sign-in. Default none. */
  returnOrigins?: string[] | string;
  /** `LATCHKEY_COOKIE_DOMAIN`: shares the cookie with sub-domains, on purpose. Browsers drop it at a public suffix like co.uk. Default none. */
  cookieDomain?: string;
  /** `LATCHKEY_IMPORTED_COOKIE`: the name of another system's session cookie, whose imported sessions go on. Default none. */
  importedCookie?: string;
  /** `LATCHKEY_SECRET_KEY`: 32 bytes in hex or base64, or `new,old`. Default: a key file beside the embedded database. */
  secretKey?: string;
  /** `LATCHKEY_OIDC_PROVIDERS` and its variables: other sites that people may sign in with. Default none. */
  oidc?: OidcProviderOptions[];
  /** `LATCHKEY_LOG_LEVEL`. Default `info`. */
  logLevel?: "silent" | "fatal" | "error" | "warn" | "info" | "debug" | "trace";
  /** `LATCHKEY_TRUSTED_PROXIES`: CIDR list whose `X-Forwarded-For` is believed. Default none. */
  trustedProxies?: string[] | string;
  /** `LATCHKEY_PASSWORD_MIN_LENGTH`: code points, at least 8. Default 12. */
  passwordMinLength?: number | string;
  /** `LATCHKEY_RATE_LIMITS`: `off` for load tests only. Default `on`. */
  rateLimits?: "on" | "off";
  /** The clock, in ms since 1970; for tests of time. Default `Date.now`. */
  now?: () => number;
};

/** The settings, read once and frozen; nothing reads the environment after this. */
export type Settings = {
  readonly port: number;
  readonly host: string;
  readonly baseUrl: BaseUrl;
  readonly database: DatabaseUrl;
  readonly listenUrl: string | null;
  readonly smtpUrl: string | null;
  readonly mailFrom: string;
  readonly outbox: string;
  readonly sessionLifetime: number;
  readonly idleTimeout: number | null;
  readonly pruneInterval: number;
  readonly sessionScope: "browser-os" | "device";
  readonly signUp: "open" | "verify-first" | "closed";
  readonly returnOrigins: readonly string[];
  readonly cookieDomain: string | null;
  readonly importedCookie: string | null;
  readonly oidc: readonly OidcProvider[];
  /** Newest first; null means the key file beside the embedded database. */
  readonly secretKeys: readonly Uint8Array[] | null;
  readonly logLevel: NonNullable<LatchkeyOptions["logLevel"]>;
  readonly trustedProxies: Networks;
  readonly passwordMinLength: number;
  readonly rateLimits: boolean;
  readonly now: () => number;
};

const DAY = 86_400_000;
const LOG_LEVELS = ["silent", "fatal", "error", "warn", "info", "debug", "trace"] as const;

/** The environment variable of each option. */
export const VARIABLES = {
  port: "PORT",
  host: "HOST",
  baseUrl: "BASE_URL",
  databaseUrl: "DATABASE_URL",
  listenUrl: "LATCHKEY_LISTEN_URL",
  smtpUrl: "SMTP_URL",
  mailFrom: "MAIL_FROM",
  outbox: "LATCHKEY_OUTBOX",
  sessionLifetime: "LATCHKEY_SESSION_LIFETIME",
  idleTimeout: "LATCHKEY_IDLE_TIMEOUT",
  pruneInterval: "LATCHKEY_PRUNE_INTERVAL",
  sessionScope: "LATCHKEY_SESSION_SCOPE",
  signUp: "LATCHKEY_SIGN_UP",
  returnOrigins: "LATCHKEY_RETURN_ORIGINS",
  cookieDomain: "LATCHKEY_COOKIE_DOMAIN",
  importedCookie: "LATCHKEY_IMPORTED_COOKIE",
  secretKey: "LATCHKEY_SECRET_KEY",
  logLevel: "LATCHKEY_LOG_LEVEL",
  trustedProxies: "LATCHKEY_TRUSTED_PROXIES",
  passwordMinLength: "LATCHKEY_PASSWORD_MIN_LENGTH",
  rateLimits: "LATCHKEY_RATE_LIMITS",
} as const satisfies Record<Exclude<keyof LatchkeyOptions, "now" | "oidc">, string>;

type OptionName = keyof typeof VARIABLES;

/** Reads the options that are set in an environment; an empty variable counts as not set. */
export function optionsFromEnvironment(environment: Record<string, string | undefined>): LatchkeyOptions {
  const found = (Object.keys(VARIABLES) as OptionName[]).flatMap((name) => {
    const value = environment[VARIABLES[name]];
    return value === undefined || value.trim() === "" ? [] : [[name, value.trim()]];
  });
  const oidc = oidcFromEnvironment(environment);
  return { ...(Object.fromEntries(found) as LatchkeyOptions), ...(oidc.length > 0 ? { oidc } : {}) };
}

/**
 * Resolves options to settings.
 * @throws SettingError naming the variable and what it takes, for the first value that is wrong; an Error
 * for an option that there isn't.
 */
export function readSettings(options: LatchkeyOptions): Settings {
  refuseUnknownOptions(options, { ...VARIABLES, now: null, oidc: null });
  const name = VARIABLES;
  const port = readWholeNumber(name.port, options.port ?? 3000, { least: 1, most: 65_535 });
  const database = readDatabaseUrl(
    name.databaseUrl,
    options.databaseUrl ?? "sqlite:./latchkey-data/latchkey.db",
  );
  return Object.freeze({
    port,
    host: options.host ?? "127.0.0.1",
    baseUrl: readBaseUrl(name.baseUrl, options.baseUrl ?? `http://localhost:${port}`),
    database,
    listenUrl: options.listenUrl ? readPostgresUrl(name.listenUrl, options.listenUrl) : null,
    smtpUrl: options.smtpUrl ? readSmtpUrl(options.smtpUrl) : null,
    mailFrom: readSender(name.mailFrom, options.mailFrom ?? "Latchkey <latchkey@localhost>"),
    outbox: resolve(options.outbox ?? "./latchkey-data/outbox"),
    sessionLifetime: readDuration(name.sessionLifetime, options.sessionLifetime ?? "30d", {
      least: 1,
      most: 30 * DAY,
    }),
    idleTimeout:
      options.idleTimeout === undefined || options.idleTimeout === "off"
        ? null
        : readDuration(name.idleTimeout, options.idleTimeout, {
            least: 5 * 60_000,
            most: 30 * DAY,
            or: "off",
          }),
    pruneInterval: readDuration(name.pruneInterval, options.pruneInterval ?? "1h", {
      least: 10,
      most: 30 * DAY,
    }),
    sessionScope: readOneOf(name.sessionScope, options.sessionScope ?? "browser-os", [
      "browser-os",
      "device",
    ]),
    signUp: readOneOf(name.signUp, options.signUp ?? "open", ["open", "verify-first", "closed"]),
    returnOrigins: readList(options.returnOrigins).map((origin) => readOrigin(name.returnOrigins, origin)),
    cookieDomain: options.cookieDomain ? readCookieDomain(options.cookieDomain, options.baseUrl) : null,
    importedCookie: options.importedCookie ? readImportedCookie(options.importedCookie) : null,
    oidc: readOidcProviders(options.oidc ?? []),
    secretKeys: readSecretKeys(options.secretKey, database),
    logLevel: readOneOf(name.logLevel, options.logLevel ?? "info", LOG_LEVELS),
    trustedProxies: readNetworks(name.trustedProxies, readList(options.trustedProxies)),
    passwordMinLength: readWholeNumber(name.passwordMinLength, options.passwordMinLength ?? 12, {
      least: 8,
      most: 128,
    }),
    rateLimits: readOneOf(name.rateLimits, options.rateLimits ?? "on", ["on", "off"]) === "on",
    now: options.now ?? Date.now,
  });
}

function readSecretKeys(value: string | undefined, database: DatabaseUrl): Uint8Array[] | null {
  if (value) return readKeys(VARIABLES.secretKey, value);
  if (database.engine === "sqlite") return null;
  throw new SettingError(
    VARIABLES.secretKey,
    "must be set with PostgreSQL, the same on every node: 32 bytes in hex or base64 (make one with `openssl rand -hex 32`)",
  );
}

function readSmtpUrl(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : null;
  if (!url || !/^smtps?:$/.test(url.protocol) || url.hostname === "")
    throw new SettingError(VARIABLES.smtpUrl, "takes smtp://user:password@host:587 or smtps://…");
  const unknown = url.searchParams.getAll("tls").find((tls) => tls !== "optional");
  if (unknown === undefined) return value;
  throw new SettingError(
    VARIABLES.smtpUrl,
    `takes no tls but ?tls=optional, which lets emails go unencrypted (got ${JSON.stringify(unknown)})`,
  );
}

function readCookieDomain(value: string, baseUrl: string | undefined): string {
  const domain = value.replace(/^\./, "").toLowerCase();
  const host = baseUrl && URL.canParse(baseUrl) ? new URL(baseUrl).hostname : "localhost";
  if (domain.includes(".") && !isIP(host) && (host === domain || host.endsWith(`.${domain}`))) return domain;
  throw new SettingError(
    VARIABLES.cookieDomain,
    `takes a domain that the host of BASE_URL (${host}) belongs to, like example.com; an IP address belongs to none`,
  );
}

function readImportedCookie(value: string): string {
  const isOwn = /^(__Host-|__Secure-)?latchkey/.test(value);
  if (/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/.test(value) && !isOwn) return value;
  throw new SettingError(
    VARIABLES.importedCookie,
    `takes the name of the old system's cookie, like authjs.session-token (got "${value}")`,
  );
}
