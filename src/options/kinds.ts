import { isIP } from "node:net";
import { resolve } from "node:path";
import ipaddr from "ipaddr.js";
import { z } from "zod";
import { SettingError } from "./setting-error.ts";

/** A kind of value: what an operator reads about it if a value is wrong, and the schema that reads it. */
export type Kind<I, O> = {
  readonly takes: string;
  readonly schema: z.ZodType<O, I>;
  /** Keeps the value out of errors. */
  readonly isSecret?: boolean;
};

/** `read` returns undefined for a value that isn't valid. */
function kind<I, O>(takes: string, given: z.ZodType<I, I>, read: (given: I) => O | undefined): Kind<I, O> {
  const schema = given.transform((value, context) => {
    const result = read(value);
    if (result !== undefined) return result;
    context.addIssue(takes);
    return z.NEVER;
  });
  return { takes, schema };
}

export const ofText = <O>(takes: string, read: (given: string) => O | undefined) =>
  kind(takes, z.string(), read);

/** Like `ofText`, but an empty string given in code counts as not set (null). */
export const ofTextOrNothing = <O>(takes: string, read: (given: string) => O | undefined) =>
  ofText(takes, (given) => (given === "" ? null : read(given)));

const secret = <I, O>(of: Kind<I, O>): Kind<I, O> => ({ ...of, isSecret: true });

const numberOrText = z.union([z.number(), z.string()]);

export function wholeNumber(least: number, most: number): Kind<number | string, number> {
  return kind(`a whole number from ${least} to ${most}`, numberOrText, (given) => {
    const number = /^\d+$/.test(String(given)) ? Number(given) : Number.NaN;
    return number >= least && number <= most ? number : undefined;
  });
}

const UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

export function duration(least: string, most: string): Kind<number | string, number> {
  const takes = `a duration like 500ms, 5s, 10m, 12h or 30d, from ${least} to ${most}`;
  return kind(takes, numberOrText, (given) => {
    const ms = typeof given === "number" ? given : readDuration(given);
    const isWhole = Number.isInteger(ms);
    return isWhole && ms >= readDuration(least) && ms <= readDuration(most) ? ms : undefined;
  });
}

export function durationOrOff(least: string, most: string): Kind<number | string, number | null> {
  const { takes, schema } = duration(least, most);
  return { takes: `${takes}, or off`, schema: z.union([schema, z.literal("off").transform(() => null)]) };
}

/** Returns NaN if the text isn't a duration. */
function readDuration(text: string): number {
  const [, digits, unit = ""] = /^(\d{1,12})(ms|s|m|h|d)$/.exec(text) ?? [];
  return Number(digits) * (UNITS[unit] ?? Number.NaN);
}

export function oneOf<T extends string>(...values: readonly T[]): Kind<T, T> {
  const schema = z.custom<T>((given) => values.some((value) => value === given));
  return { takes: `one of ${values.join(", ")}`, schema };
}

export const onOrOff: Kind<"on" | "off", boolean> = kind(
  "one of on, off",
  oneOf("on", "off").schema,
  (given) => given === "on",
);

export const host: Kind<string, string> = { takes: "an address or a host name", schema: z.string() };

export const path = ofText("a path", (given) => resolve(given));

/** The parts of a list, given as an array or separated by commas. */
export function readList(value: string | readonly string[] | undefined): string[] {
  const parts = typeof value === "string" ? value.split(",") : (value ?? []);
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}

function listOf<O>(takes: string, read: (part: string) => O | undefined): Kind<string[] | string, O[]> {
  return kind(`${takes}, separated by commas`, z.union([z.array(z.string()), z.string()]), (given) =>
    allOrNone(readList(given).map(read)),
  );
}

function allOrNone<T>(results: (T | undefined)[]): T[] | undefined {
  const found = results.filter((result) => result !== undefined);
  return found.length === results.length ? found : undefined;
}

const parseUrl = (value: string) => (URL.canParse(value) ? new URL(value) : null);

/** Where people reach Latchkey: `href` never ends in a slash, `path` is empty or begins with one. */
export type BaseUrl = {
  href: string;
  origin: string;
  host: string;
  /** The host without its port. */
  hostname: string;
  path: string;
  secure: boolean;
  /** Whether its host is a name. Passkeys need a name: browsers create none for an IP address. */
  hasName: boolean;
  /** Whether its host is this machine, for which browsers trust http. */
  isLocal: boolean;
};

/** A host name or an IP address. URLs also allow, for example, a `*` or a comma, which no host has. */
const HOST = /^([a-z0-9._-]+|\[[0-9a-f:.]+\])$/;
/** Paths that browsers, proxies and our routes read alike: nothing is encoded, nothing is a pattern. */
const PATH = /^(\/[\w.~-]+)*\/*$/;

export const baseUrl = ofText(
  "a URL like https://app.example.com or https://app.example.com/auth, with only A-Z, a-z, 0-9 and -._~ in its path",
  (given) => {
    const url = parseUrl(given);
    const isPlain = url && !url.search && !url.hash && !url.username && !url.password;
    const isWeb = isPlain && /^https?:$/.test(url.protocol);
    return isWeb && HOST.test(url.hostname) && PATH.test(url.pathname) ? toBaseUrl(url) : undefined;
  },
);

export function toBaseUrl(url: URL): BaseUrl {
  const path = url.pathname.replace(/\/+$/, "");
  return {
    href: url.origin + path,
    origin: url.origin,
    host: url.host,
    hostname: url.hostname,
    path,
    secure: url.protocol === "https:",
    hasName: isIP(url.hostname.replace(/^\[|\]$/g, "")) === 0,
    isLocal: isThisMachine(url.hostname),
  };
}

const ADDRESS = String.raw`[^\s<>@,;:"()\P{ASCII}]+@[^\s<>@,;:"()]+`;
const QUOTED = String.raw`"(?:[^"\\\p{Cc}]|\\\P{Cc})*"`;
const SENDER = new RegExp(
  String.raw`^(?:(?<name>${QUOTED}\s*|[^<>@,;:\p{Cc}]*)<(?<named>${ADDRESS})>|(?<alone>${ADDRESS}))$`,
  "u",
);

/** The sender of emails; the name is empty if none is given. */
export type Sender = { readonly name: string; readonly address: string };

/** Reads `name@host` or `Name <name@host>`; a name in quotes may contain commas and the like. */
export function readSender(given: string): Sender | undefined {
  const { name = "", named, alone } = SENDER.exec(given)?.groups ?? {};
  const address = named ?? alone;
  if (address === undefined) return undefined;
  const text = name.trim();
  const isQuoted = new RegExp(`^${QUOTED}$`, "u").test(text);
  return { name: isQuoted ? text.slice(1, -1).replace(/\\(.)/gu, "$1") : text, address };
}

export const sender = ofText("one address like Latchkey <latchkey@example.com>", readSender);

export const origins = listOf("origins like https://app.example.com", (given) => {
  const url = parseUrl(given);
  const isWhole = url && url.pathname === "/" && HOST.test(url.hostname);
  const isPlain = isWhole && !url.search && !url.hash && !url.username;
  return isPlain && /^https?:$/.test(url.protocol) ? url.origin : undefined;
});

export type DatabaseUrl = { engine: "sqlite"; file: string } | { engine: "postgres"; url: string };

/** Whether the host in a URL is this machine, so that traffic to it crosses no network. */
export function isThisMachine(hostname: string): boolean {
  return /^((.+\.)?localhost|127(\.\d+){3}|\[::1\])$/i.test(hostname);
}

const isPostgresUrl = (value: string) => /^postgres(ql)?:\/\//.test(value) && URL.canParse(value);

export const databaseUrl = secret(
  ofText("sqlite:./folder/file.db or postgres://user:password@host:5432/database", readDatabaseUrl),
);

function readDatabaseUrl(given: string): DatabaseUrl | undefined {
  const file = /^sqlite:(?:\/\/)?(.+)$/.exec(given)?.[1];
  if (file && file !== ":memory:") return { engine: "sqlite", file: resolve(file) };
  return isPostgresUrl(given) ? { engine: "postgres", url: given } : undefined;
}

export const postgresUrl = secret(
  ofTextOrNothing("postgres://user:password@host:5432/database", (given) =>
    isPostgresUrl(given) ? given : undefined,
  ),
);

export const smtpUrl = secret(
  ofTextOrNothing(
    "smtp://user:password@host:587 or smtps://…, and no tls except ?tls=optional, which lets emails go unencrypted",
    (given) => {
      const url = parseUrl(given);
      const isServer = url && /^smtps?:$/.test(url.protocol) && url.hostname !== "";
      return isServer && url.searchParams.getAll("tls").every((tls) => tls === "optional")
        ? given
        : undefined;
    },
  ),
);

export type Networks = readonly [ipaddr.IPv4 | ipaddr.IPv6, number][];

export const networks: Kind<string[] | string, Networks> = listOf(
  "addresses or CIDR ranges like 10.0.0.0/8",
  (given) => {
    const range = given.includes("/") ? given : `${given}/${given.includes(":") ? 128 : 32}`;
    return ipaddr.isValidCIDR(range) ? ipaddr.parseCIDR(range) : undefined;
  },
);

/**
 * 32 bytes, checked here: Node's decoders silently skip or stop at invalid characters, which gives another
 * key.
 */
const HEX_KEY = /^[0-9a-f]{64}$/i;
const BASE64_KEY = /^[\w+/-]{43}=?$/;

/** Keys with the newest first: `new,old`. */
export const keys = secret(
  ofTextOrNothing(
    "32 bytes in hex or base64, or new,old while changing (make one with `openssl rand -hex 32`)",
    (given) => {
      const texts = readList(given);
      return texts.length === 0 ? undefined : allOrNone(texts.map(readKey));
    },
  ),
);

function readKey(text: string): Uint8Array | undefined {
  if (HEX_KEY.test(text)) return Buffer.from(text, "hex");
  return BASE64_KEY.test(text) ? Buffer.from(text, "base64") : undefined;
}

/** Reads the keys in a file or a variable. @throws SettingError naming it, without the value. */
export function readKeys(source: string, value: string): Uint8Array[] {
  const read = keys.schema.safeParse(value);
  if (read.success && read.data) return read.data;
  throw new SettingError(source, `takes ${keys.takes}`);
}
