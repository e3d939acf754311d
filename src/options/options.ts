import { isIP } from "node:net";
import type { z } from "zod";
import { importedCookie, isOwn } from "./cookie-kinds.ts";
import { type BaseUrl, type DatabaseUrl, toBaseUrl } from "./kinds.ts";
import { refuseUnknownOptions, refuseUnknownVariables } from "./names.ts";
import { oidcFromEnvironment } from "./oidc.ts";
import { SettingError } from "./setting-error.ts";
import { OPTIONS, SETTINGS } from "./table.ts";

export { SettingError } from "./setting-error.ts";

/**
 * All settings, as options in code. Each has the same meaning as its environment variable. Durations take
 * milliseconds or `"500ms"`, `"5s"`, `"10m"`, `"12h"`, `"30d"`; lists take an array or a string with commas.
 */
export type LatchkeyOptions = z.input<typeof OPTIONS>;

/** The settings, read once and frozen; nothing reads the environment after this. */
export type Settings = Readonly<Omit<z.output<typeof OPTIONS>, "baseUrl" | "databaseUrl" | "secretKey">> & {
  readonly baseUrl: BaseUrl;
  readonly database: DatabaseUrl;
  /** Newest first; null means that the key is in a file beside the embedded database. */
  readonly secretKeys: readonly Uint8Array[] | null;
};

/**
 * Reads the options that are set in an environment; an empty variable counts as not set.
 * @throws SettingError for a `LATCHKEY_…` variable that doesn't exist.
 */
export function optionsFromEnvironment(environment: Record<string, string | undefined>): LatchkeyOptions {
  refuseUnknownVariables(environment);
  const found = SETTINGS.flatMap(({ option, variable }) => {
    const value = environment[variable]?.trim();
    return value ? [[option, value]] : [];
  });
  return { ...Object.fromEntries(found), ...oidcFromEnvironment(environment) };
}

/**
 * Resolves options to settings.
 * @throws SettingError for the first value that is wrong, naming its variable and the values it takes; Error
 * for an option that doesn't exist.
 */
export function readSettings(options: LatchkeyOptions): Settings {
  refuseUnknownOptions(options);
  const read = OPTIONS.safeParse(options);
  if (!read.success) throw whatIsWrong(String(read.error.issues[0]?.path[0]), options);
  const { databaseUrl: database, secretKey: secretKeys, ...settings } = read.data;
  const baseUrl = settings.baseUrl ?? toBaseUrl(new URL(`http://localhost:${settings.port}`));
  requireOwnDomain(settings.cookieDomain, baseUrl.hostname);
  if (settings.importedCookie !== null && isOwn(settings.importedCookie, settings.cookieName))
    throw new SettingError("LATCHKEY_IMPORTED_COOKIE", `takes ${importedCookie.takes}`);
  if (secretKeys === null && database.engine === "postgres")
    throw new SettingError(
      "LATCHKEY_SECRET_KEY",
      "must be set with PostgreSQL, the same on every node: 32 bytes in hex or base64 (make one with `openssl rand -hex 32`)",
    );
  return Object.freeze({ ...settings, baseUrl, database, secretKeys });
}

/** The name by which people know the site. */
export function siteNameOf({ name, baseUrl }: Settings): string {
  return name ?? baseUrl.host;
}

/**
 * Whether this is a developer's own machine, where emails may be shown. With https or a mail server it never
 * counts as one, since other people probably use it.
 */
export function isDevelopment({ baseUrl, smtpUrl }: Settings): boolean {
  return smtpUrl === null && baseUrl.isLocal && !baseUrl.secure;
}

/** A warning if BASE_URL lacks https and isn't on this machine; otherwise null. */
export function insecureUrlWarning({ href, secure, isLocal }: BaseUrl): string | null {
  if (secure || isLocal) return null;
  return `BASE_URL ${href} is not https: cookies and passwords travel in the clear, and passkeys don't work. Put https in front of Latchkey, and set BASE_URL=${href.replace("http:", "https:")}.`;
}

/** An error that only options in code can cause: in the environment, each part is a variable of its own. */
const PROVIDERS_IN_CODE =
  'takes, as the option oidc, a list like [{ id: "google", clientId: "…", clientSecret: "…" }]';

function whatIsWrong(name: string, options: LatchkeyOptions): Error {
  const setting = SETTINGS.find(({ option }) => option === name);
  if (setting === undefined) return new Error(`createLatchkey: ${name} takes a function.`);
  if (name === "oidc") return new SettingError(setting.variable, PROVIDERS_IN_CODE);
  const value = options[name as keyof LatchkeyOptions];
  // A URL object, for example, would be printed as text that looks valid.
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  const got = setting.isSecret ? "" : ` (got ${isObject ? "an object" : `"${value}"`})`;
  return new SettingError(setting.variable, `takes ${setting.takes}${got}`);
}

function requireOwnDomain(domain: string | null, host: string): void {
  if (domain === null) return;
  const isOwn = host === domain || host.endsWith(`.${domain}`);
  if (domain.includes(".") && !isIP(host) && isOwn) return;
  throw new SettingError(
    "LATCHKEY_COOKIE_DOMAIN",
    `takes a domain that the host of BASE_URL (${host}) belongs to, like example.com; an IP address belongs to none`,
  );
}
