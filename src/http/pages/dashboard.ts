import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname } from "node:path";
import type { SignedOut } from "../../answers.ts";
import type { Settings } from "../../options/options.ts";
import { packageFile } from "../../own-files.ts";
import { DAY } from "../../sessions/expiry.ts";
import type { Asset } from "./asset.ts";
import { type Brand, readBrand } from "./brand.ts";
import { escapeHtml } from "./html.ts";

const FOLDER = packageFile("dist/dashboard/");

const TYPES: Record<string, string> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

export type Dashboard = {
  /** The page at a path. All are the same, except that each preloads its own code. */
  readonly html: (path: string) => string;
  readonly assets: ReadonlyMap<string, Asset>;
};

/** The source file of each page, as `dashboard/main.tsx` imports it; other pages use EMAILED_LINKS. */
const SOURCES: Record<string, string> = {
  "/login": "pages/login.tsx",
  "/sign-up": "pages/sign-up.tsx",
  "/settings/security": "pages/security.tsx",
};
const EMAILED_LINKS = "pages/emailed-links.tsx";

/** Reads the built dashboard into memory once; null if it hasn't been built. */
export function readDashboard(settings: Settings): Dashboard | null {
  const brand = readBrand(settings);
  if (!existsSync(new URL("index.html", FOLDER))) return null;
  const files = readdirSync(FOLDER, { recursive: true, encoding: "utf8" }).filter(
    (file) => TYPES[extname(file)],
  );
  const template = fill(readText("index.html"), settings, brand);
  const manifest: Manifest = JSON.parse(readText("manifest.json"));
  const pageOf = (source: string) =>
    template.replace("</head>", () => `${preloads(manifest, source, settings.baseUrl.path)}</head>`);
  const pages = new Map(Object.entries(SOURCES).map(([path, source]) => [path, pageOf(source)]));
  const emailedLinks = pageOf(EMAILED_LINKS);
  return {
    html: (path) => pages.get(path) ?? emailedLinks,
    assets: new Map([
      ...files.map((file): [string, Asset] => [`/${file.replaceAll("\\", "/")}`, readAsset(file)]),
      ...brand.assets,
    ]),
  };
}

function readText(file: string): string {
  return readFileSync(new URL(file, FOLDER), "utf8");
}

function readAsset(file: string): Asset {
  const read = (ending: string) => readFileSync(new URL(file + ending, FOLDER));
  return {
    type: TYPES[extname(file)] ?? "",
    bytes: read(""),
    encoded: { br: read(".br"), gzip: read(".gz") },
  };
}

/** The part of Vite's manifest that is used: the file of each chunk, and its imports. */
type Manifest = Record<string, { file: string; imports?: string[] }>;

/** Preload links for a page's own chunks, so that a browser needn't discover them one after the other. */
function preloads(manifest: Manifest, source: string, basePath: string): string {
  const found = new Set<string>();
  const collect = (name: string) => {
    const chunk = manifest[name];
    if (!chunk || name === "index.html" || found.has(chunk.file)) return;
    found.add(chunk.file);
    chunk.imports?.forEach(collect);
  };
  collect(source);
  const links = [...found].map((file) => `<link rel="modulepreload" crossorigin href="${basePath}/${file}">`);
  return links.join("");
}

/**
 * Fills in the base path and the settings as attributes, since the CSP forbids inline scripts and `<base>`.
 */
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

/** Adds why this browser's session has ended to the page, so that the first render can show it. */
export function withEnding(html: string, ending: SignedOut, now: number): string {
  return html.replace("__LATCHKEY_ENDING__", () => asAttribute({ ...ending, now }));
}

function asAttribute(value: object): string {
  return escapeHtml(JSON.stringify(value));
}
