import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname } from "node:path";
import { gzipSync } from "node:zlib";
import type { Settings } from "../options/options.ts";
import type { SignedOut } from "../sessions/authenticate.ts";
import { DAY } from "../sessions/expiry.ts";
import { type Brand, readBrand } from "./brand.ts";

/** Where the built dashboard lies, seen from the sources and from the built package alike. */
const FOLDER = new URL("../../dist/dashboard/", import.meta.url);

const TYPES: Record<string, string> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".webmanifest": "application/manifest+json",
};

export type Asset = { type: string; bytes: Buffer<ArrayBuffer>; zipped: Buffer<ArrayBuffer> };

export type Dashboard = {
  /** The one page of all routes; its script reads the path. */
  readonly html: string;
  readonly assets: ReadonlyMap<string, Asset>;
};

/** Reads the built dashboard into memory once; null where it hasn't been built. */
export function readDashboard(settings: Settings): Dashboard | null {
  const brand = readBrand(settings);
  if (!existsSync(new URL("index.html", FOLDER))) return null;
  const files = readdirSync(FOLDER, { recursive: true, encoding: "utf8" }).filter(
    (file) => TYPES[extname(file)],
  );
  const assets = files.map((file): [string, Asset] => {
    const bytes = readFileSync(new URL(file, FOLDER));
    return [
      `/${file.replaceAll("\\", "/")}`,
      { type: TYPES[extname(file)] ?? "", bytes, zipped: gzipSync(bytes) },
    ];
  });
  return {
    html: fill(readFileSync(new URL("index.html", FOLDER), "utf8"), settings, brand),
    assets: new Map([...assets, ...brand.assets]),
  };
}

/** Where it is mounted and what it may offer; the page has no script inline and no `<base>`. */
function fill(html: string, settings: Settings, { name, logo, links, stylesheet }: Brand): string {
  const days = settings.sessionLifetime / DAY;
  const config = {
    basePath: settings.baseUrl.path,
    signUp: settings.signUp,
    passwordMinLength: settings.passwordMinLength,
    returnOrigins: settings.returnOrigins,
    passkeys: settings.baseUrl.hasName,
    oidc: settings.oidc.map(({ id, name }) => ({ id, name })),
    sessionDays: Number.isInteger(days) ? days : null,
    name,
    logo,
    links,
  };
  const icon = logo === null ? null : `<link rel="icon" href="${escapeHtml(logo)}" />`;
  const accent = stylesheet === null ? "" : `<link rel="stylesheet" href="${escapeHtml(stylesheet)}">`;
  return html
    .replace(/<link rel="icon"[^>]*>/, (built) => icon ?? built)
    .replace("</head>", () => `${accent}</head>`)
    .replaceAll("__LATCHKEY_NAME__", () => escapeHtml(name))
    .replaceAll("/__latchkey_base__/", () => `${settings.baseUrl.path}/`)
    .replaceAll("__LATCHKEY_CONFIG__", () => asAttribute(config));
}

/** The page with why this browser's session is over: the sentence is there with the first drawing. */
export function withEnding(html: string, { reason, by, at }: SignedOut): string {
  const ending = {
    reason,
    ...(by !== null && { by }),
    ...(at !== null && { at: new Date(at).toISOString() }),
  };
  return html.replace("__LATCHKEY_ENDING__", () => asAttribute(ending));
}

/** Text for a page, between elements or in quotes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function asAttribute(value: object): string {
  return escapeHtml(JSON.stringify(value));
}
