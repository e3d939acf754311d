import { z } from "zod";
import * as brand from "./brand-kinds.ts";
import * as cookie from "./cookie-kinds.ts";
import * as kind from "./kinds.ts";
import { providers } from "./oidc.ts";

/** What people read about a setting: half a sentence, its default, and the values it takes. */
type About = { byDefault: string; sentence: string } & Pick<kind.Kind<never, never>, "takes" | "isSecret">;

const about = z.registry<About>();

/** A setting that always has a value. */
function setting<I, O>(byDefault: z.util.NoUndefined<I>, sentence: string, of: kind.Kind<I, O>) {
  const { schema, ...told } = of;
  return schema.prefault(byDefault).register(about, { byDefault: String(byDefault), sentence, ...told });
}

/** A setting that is null if it isn't set; `byDefault` says what that means. */
function optional<I, O>(byDefault: string, sentence: string, { schema, ...told }: kind.Kind<I, O>) {
  const orNull = schema.optional().transform((value): O | null => value ?? null);
  return orNull.register(about, { byDefault, sentence, ...told });
}

/** A setting of several values, by default none. */
function list<I, O>(sentence: string, { schema, ...told }: kind.Kind<I, readonly O[]>) {
  const orEmpty = schema.optional().transform((value): readonly O[] => value ?? []);
  return orEmpty.register(about, { byDefault: "none", sentence, ...told });
}

/**
 * Every setting, in the order of the help. It is a class because declaration files keep the comments on a
 * class's fields, but not those in an object whose type is inferred.
 */
class Table {
  /** `PORT`: the port that `serve` listens on. Default `3000`. */
  readonly port = setting(3000, "the port that `serve` listens on", kind.wholeNumber(1, 65_535));
  /** `HOST`: the address that `serve` listens on. Default `127.0.0.1`. */
  readonly host = setting("127.0.0.1", "the address that `serve` listens on", kind.host);
  /** `BASE_URL`: the public origin, with a path if Latchkey is mounted below one. Default `http://localhost:$PORT`. */
  readonly baseUrl = optional(
    "http://localhost:$PORT",
    "the public origin, with a path if Latchkey is mounted below one",
    kind.baseUrl,
  );
  /** `DATABASE_URL`: the embedded database's file, or a PostgreSQL. Default `sqlite:./latchkey-data/latchkey.db`. */
  readonly databaseUrl = setting(
    "sqlite:./latchkey-data/latchkey.db",
    "the embedded database's file, or a PostgreSQL",
    kind.databaseUrl,
  );
  /** `LATCHKEY_LISTEN_URL`: a direct connection for LISTEN if `DATABASE_URL` goes through a pooler. Default `DATABASE_URL`. */
  readonly listenUrl = optional(
    "DATABASE_URL",
    "a direct connection for LISTEN if `DATABASE_URL` goes through a pooler",
    kind.postgresUrl,
  );
  /** `SMTP_URL`: the email server; without it, emails are files. Default none. */
  readonly smtpUrl = optional("none", "the email server; without it, emails are files", kind.smtpUrl);
  /** `MAIL_FROM`: the sender of emails. Default `Latchkey <latchkey@localhost>`. */
  readonly mailFrom = setting("Latchkey <latchkey@localhost>", "the sender of emails", kind.sender);
  /** `LATCHKEY_OUTBOX`: the folder of `.eml` files if there is no `SMTP_URL`. Default `./latchkey-data/outbox`. */
  readonly outbox = setting(
    "./latchkey-data/outbox",
    "the folder of `.eml` files if there is no `SMTP_URL`",
    kind.path,
  );
  /** `LATCHKEY_NAME`: what pages and emails, authenticator apps and passkeys call the site. Default: the host of BASE_URL. */
  readonly name = optional(
    "the host of BASE_URL",
    "what pages and emails, authenticator apps and passkeys call the site",
    brand.siteName,
  );
  /** `LATCHKEY_LOGO`: a picture in a file, beside the name on every page. Default: Latchkey's key. */
  readonly logo = optional(
    "Latchkey's key",
    "a picture in a file, beside the name on every page",
    brand.logo,
  );
  /** `LATCHKEY_ACCENT`: the colour of buttons and links. Default: Latchkey's blue. */
  readonly accent = optional("Latchkey's blue", "the colour of buttons and links", brand.accent);
  /** `LATCHKEY_TERMS_URL`: your terms, linked on every page. Default none. */
  readonly termsUrl = optional("none", "your terms, linked on every page", brand.webPage);
  /** `LATCHKEY_PRIVACY_URL`: your privacy policy, linked on every page. Default none. */
  readonly privacyUrl = optional("none", "your privacy policy, linked on every page", brand.webPage);
  /** `LATCHKEY_SUPPORT`: an email address or a page where people ask for help, on every page and in every email. Default none. */
  readonly support = optional(
    "none",
    "an email address or a page where people ask for help, on every page and in every email",
    brand.support,
  );
  /** `LATCHKEY_SESSION_LIFETIME`: how long a session lasts, even in use. Default `30d`. */
  readonly sessionLifetime = setting(
    "30d",
    "how long a session lasts, even in use",
    kind.duration("1ms", "30d"),
  );
  /** `LATCHKEY_IDLE_TIMEOUT`: ends a session that hasn't been used for this long. Default `off`. */
  readonly idleTimeout = setting(
    "off",
    "ends a session that hasn't been used for this long",
    kind.durationOrOff("5m", "30d"),
  );
  /** `LATCHKEY_PRUNE_INTERVAL`: how often expired rows are deleted. Default `1h`. */
  readonly pruneInterval = setting("1h", "how often expired rows are deleted", kind.duration("10ms", "30d"));
  /** `LATCHKEY_SESSION_SCOPE`: what a new sign-in replaces. Default `browser-os`. */
  readonly sessionScope = setting(
    "browser-os",
    "what a new sign-in replaces",
    kind.oneOf("browser-os", "device"),
  );
  /** `LATCHKEY_SIGN_UP`: whether people may create accounts, and whether they must confirm their email address first. Default `open`. */
  readonly signUp = setting(
    "open",
    "whether people may create accounts, and whether they must confirm their email address first",
    kind.oneOf("open", "verify-first", "closed"),
  );
  /** `LATCHKEY_RETURN_ORIGINS`: other origins that `next` may lead to after a sign-in. Default none. */
  readonly returnOrigins = list("other origins that `next` may lead to after a sign-in", kind.origins);
  /** `LATCHKEY_COOKIE_NAME`: what the names of all cookies begin with; apps on the same host need different ones. Default `latchkey`. */
  readonly cookieName = setting(
    "latchkey",
    "what the names of all cookies begin with; apps on the same host need different ones",
    cookie.cookieName,
  );
  /** `LATCHKEY_COOKIE_DOMAIN`: shares the cookie with sub-domains; browsers drop it at a public suffix like co.uk. Default none. */
  readonly cookieDomain = optional(
    "none",
    "shares the cookie with sub-domains; browsers drop it at a public suffix like co.uk",
    cookie.cookieDomain,
  );
  /** `LATCHKEY_IMPORTED_COOKIE`: the name of the old system's session cookie, so that imported sessions go on. Default none. */
  readonly importedCookie = optional(
    "none",
    "the name of the old system's session cookie, so that imported sessions go on",
    cookie.importedCookie,
  );
  /** `LATCHKEY_DEVICE_BINDING`: binds sessions to their devices, on https and in browsers that can; `off` unbinds. Default `auto`. */
  readonly deviceBinding = setting(
    "auto",
    "binds sessions to their devices, on https and in browsers that can; `off` unbinds",
    kind.oneOf("auto", "off"),
  );
  /** `LATCHKEY_BINDING_REFRESH`: how long copied cookies of a bound session keep working. Default `10m`. */
  readonly bindingRefresh = setting(
    "10m",
    "how long copied cookies of a bound session keep working",
    kind.duration("5m", "1d"),
  );
  /** `LATCHKEY_SECRET_KEY`: encrypts secrets at rest; must be set with PostgreSQL, the same on every node. Default: a key file beside the embedded database. */
  readonly secretKey = optional(
    "a key file beside the embedded database",
    "encrypts secrets at rest; must be set with PostgreSQL, the same on every node",
    kind.keys,
  );
  /** `LATCHKEY_OIDC_PROVIDERS`: other sites that people may sign in with, each with variables of its own. Default none. */
  readonly oidc = list("other sites that people may sign in with, each with variables of its own", providers);
  /** `LATCHKEY_LOG_LEVEL`: how much is logged, as JSON lines on standard error. Default `info`. */
  readonly logLevel = setting(
    "info",
    "how much is logged, as JSON lines on standard error",
    kind.oneOf("silent", "fatal", "error", "warn", "info", "debug", "trace"),
  );
  /** `LATCHKEY_TRUSTED_PROXIES`: addresses or ranges whose `X-Forwarded-For` is believed. Default none. */
  readonly trustedProxies = list("addresses or ranges whose `X-Forwarded-For` is believed", kind.networks);
  /** `LATCHKEY_PASSWORD_MIN_LENGTH`: the minimum length of a password, in characters. Default `12`. */
  readonly passwordMinLength = setting(
    12,
    "the minimum length of a password, in characters",
    kind.wholeNumber(8, 128),
  );
  /** `LATCHKEY_BREACHED_PASSWORDS`: a file of leaked passwords that nobody may choose, made by `latchkey breached-passwords build`. Default none. */
  readonly breachedPasswords = optional(
    "none",
    "a file of leaked passwords that nobody may choose, made by `latchkey breached-passwords build`",
    kind.path,
  );
  /** `LATCHKEY_REQUIRE_TWO_FACTOR`: lets people into an app only after logging in with two factors, or a passkey. Default `off`. */
  readonly requireTwoFactor = setting(
    "off",
    "lets people into an app only after logging in with two factors, or a passkey",
    kind.onOrOff,
  );
  /** `LATCHKEY_RATE_LIMITS`: limits attempts; `off` for load tests only. Default `on`. */
  readonly rateLimits = setting("on", "limits attempts; `off` for load tests only", kind.onOrOff);
  /** The clock, in ms since 1970; for tests of time. Default `Date.now`. */
  readonly now = z
    .custom<() => number>((given) => typeof given === "function")
    // Times are stored as integers, but a clock made of `performance.now()` has fractions.
    .transform((clock) => () => Math.floor(clock()))
    .prefault(() => Date.now);
}

export const OPTIONS: z.ZodObject<Pick<Table, keyof Table>> = z.object({ ...new Table() });

export type Setting = About & { readonly option: string; readonly variable: string };

/** The settings that have a variable: all except the clock. */
export const SETTINGS: readonly Setting[] = Object.entries(OPTIONS.shape).flatMap(([option, schema]) => {
  const told = about.get(schema);
  return told === undefined ? [] : [{ option, variable: variableOf(option), ...told }];
});

/** `LATCHKEY_SIGN_UP` for `signUp`. Settings that other programs have, too, keep their usual names. */
function variableOf(option: string): string {
  if (option === "oidc") return "LATCHKEY_OIDC_PROVIDERS";
  const name = option.replace(/[A-Z]/g, "_$&").toUpperCase();
  return /^(PORT|HOST|BASE_URL|DATABASE_URL|SMTP_URL|MAIL_FROM)$/.test(name) ? name : `LATCHKEY_${name}`;
}
