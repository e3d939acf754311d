import { isIP } from "node:net";
import { resolve } from "node:path";
import ipaddr from "ipaddr.js";

/** A setting that can't be used; the message is one line for the operator. */
export class SettingError extends Error {
  constructor(variable: string, takes: string) {
    super(`${variable} ${takes}.`);
    this.name = "SettingError";
  }
}

/** Where people reach Latchkey: `href` never ends in a slash, `path` is empty or begins with one. */
export type BaseUrl = {
  href: string;
  origin: string;
  host: string;
  path: string;
  secure: boolean;
  /** Whether its host is a name. A passkey belongs to a name: at an IP address browsers make none. */
  hasName: boolean;
  /** Whether it is one's own machine, where browsers trust http. */
  isLocal: boolean;
};

export type DatabaseUrl = { engine: "sqlite"; file: string } | { engine: "postgres"; url: string };

export type Networks = readonly [ipaddr.IPv4 | ipaddr.IPv6, number][];

const UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

export function readDuration(
  variable: string,
  value: number | string,
  range: { least: number; most: number; or?: string },
): number {
  const [, digits, unit = "ms"] = /^(\d{1,12})(ms|s|m|h|d)?$/.exec(String(value)) ?? [];
  const bare = typeof value === "string" && !/[a-z]$/.test(value);
  const ms = digits === undefined || bare ? Number.NaN : Number(digits) * (UNITS[unit] ?? 1);
  if (ms >= range.least && ms <= range.most) return ms;
  const or = range.or ? `, or ${range.or}` : "";
  const bounds = `from ${inWords(range.least)} to ${inWords(range.most)}`;
  throw new SettingError(
    variable,
    `takes a duration like 500ms, 5s, 10m, 12h or 30d${or}, ${bounds} (got "${value}")`,
  );
}

function inWords(ms: number): string {
  const unit = ["d", "h", "m", "s"].find((name) => ms % (UNITS[name] ?? 1) === 0) ?? "ms";
  return `${ms / (UNITS[unit] ?? 1)}${unit}`;
}

export function readWholeNumber(
  variable: string,
  value: number | string,
  range: { least: number; most: number },
): number {
  const number = /^\d+$/.test(String(value)) ? Number(value) : Number.NaN;
  if (number >= range.least && number <= range.most) return number;
  throw new SettingError(
    variable,
    `takes a whole number from ${range.least} to ${range.most} (got "${value}")`,
  );
}

export function readOneOf<T extends string>(variable: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === value);
  if (found !== undefined) return found;
  throw new SettingError(variable, `takes one of ${allowed.join(", ")} (got "${value}")`);
}

export function readList(value: string | readonly string[] | undefined): string[] {
  const parts = typeof value === "string" ? value.split(",") : (value ?? []);
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}

export function readBaseUrl(variable: string, value: string): BaseUrl {
  const url = URL.canParse(value) ? new URL(value) : null;
  const plain = url && !url.search && !url.hash && !url.username && !url.password;
  if (!url || !plain || !/^https?:$/.test(url.protocol)) {
    throw new SettingError(
      variable,
      `takes a URL like https://app.example.com or https://app.example.com/auth (got "${value}")`,
    );
  }
  const path = url.pathname.replace(/\/+$/, "");
  return {
    href: url.origin + path,
    origin: url.origin,
    host: url.host,
    path,
    secure: url.protocol === "https:",
    hasName: isIP(url.hostname.replace(/^\[|\]$/g, "")) === 0,
    isLocal: isThisMachine(url.hostname),
  };
}

/** Whether a host of a URL is the machine that asks: what is sent there crosses no network. */
export function isThisMachine(hostname: string): boolean {
  return /^((.+\.)?localhost|127(\.\d+){3}|\[::1\])$/i.test(hostname);
}

/** A sender for mails: `name@host`, alone or as `Name <name@host>`. */
export function readSender(variable: string, value: string): string {
  const isOne =
    /^(?:[^<>@,;:\p{Cc}]*<[^\s<>@,;:"()]+@[^\s<>@,;:"()]+>|[^\s<>@,;:"()]+@[^\s<>@,;:"()]+)$/u.test(value);
  if (isOne) return value;
  throw new SettingError(variable, `takes one address like Latchkey <latchkey@example.com> (got "${value}")`);
}

export function readOrigin(variable: string, value: string): string {
  const url = URL.canParse(value) ? new URL(value) : null;
  if (
    url &&
    /^https?:$/.test(url.protocol) &&
    url.pathname === "/" &&
    !url.hostname.includes("*") &&
    !url.search &&
    !url.hash &&
    !url.username
  ) {
    return url.origin;
  }
  throw new SettingError(
    variable,
    `takes origins like https://app.example.com, separated by commas (got "${value}")`,
  );
}

export function readDatabaseUrl(variable: string, value: string): DatabaseUrl {
  const file = /^sqlite:(?:\/\/)?(.+)$/.exec(value)?.[1];
  if (file && file !== ":memory:") return { engine: "sqlite", file: resolve(file) };
  if (isPostgresUrl(value)) return { engine: "postgres", url: value };
  throw new SettingError(
    variable,
    "takes sqlite:./folder/file.db or postgres://user:password@host:5432/database",
  );
}

/** A line to PostgreSQL itself; the value, which holds a password, never goes into the error. */
export function readPostgresUrl(variable: string, value: string): string {
  if (isPostgresUrl(value)) return value;
  throw new SettingError(variable, "takes postgres://user:password@host:5432/database");
}

function isPostgresUrl(value: string): boolean {
  return /^postgres(ql)?:\/\//.test(value) && URL.canParse(value);
}

export function readNetworks(variable: string, values: readonly string[]): Networks {
  return values.map((value) => {
    const range = value.includes("/") ? value : `${value}/${value.includes(":") ? 128 : 32}`;
    if (ipaddr.isValidCIDR(range)) return ipaddr.parseCIDR(range);
    throw new SettingError(
      variable,
      `takes addresses or CIDR ranges like 10.0.0.0/8, separated by commas (got "${value}")`,
    );
  });
}

const KEY_BYTES = 32;

/** Reads `new,old` keys of 32 bytes each, in hex or base64. The value itself never goes into the error. */
export function readKeys(variable: string, value: string): Uint8Array[] {
  return readList(value).map((key) => {
    const bytes = /^[0-9a-f]{64}$/i.test(key) ? Buffer.from(key, "hex") : Buffer.from(key, "base64");
    if (bytes.length === KEY_BYTES) return bytes;
    throw new SettingError(
      variable,
      "takes 32 bytes in hex or base64, or new,old while changing (make one with `openssl rand -hex 32`)",
    );
  });
}
