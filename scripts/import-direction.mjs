// Imports go down only. Prints each one that doesn't, and exits 1.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";

const LINE =
  "adapters, cli → create-latchkey → latchkey → maintenance → http, import → operator → sign-in → changes, recovery → credentials → sessions → history, mail → database → options, refusals → answers";

/** The server's rooms from top to bottom: each may import itself and what stands on a later line. */
const SERVER = [
  ["index"],
  ["adapters", "cli"],
  ["create-latchkey"],
  ["latchkey"],
  ["maintenance"],
  ["http", "import"],
  ["operator"],
  ["sign-in"],
  ["changes", "recovery"],
  ["credentials"],
  ["sessions"],
  ["history", "mail"],
  ["database"],
  ["options", "refusals"],
  ["answers"],
];

/** What runs in the browser: each may import itself and the named ones, and never a room of the server but the answers both share. */
const BROWSER = {
  client: ["answers"],
  react: ["client"],
  elements: ["client", "react"],
  dashboard: ["client", "react"],
};

/** Rooms that know HTTP; below them nobody imports the web framework. */
const KNOW_HTTP = ["adapters", "cli", "http"];

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const files = ["src", "dashboard"].flatMap(sourcesIn);
const violations = files.flatMap((file) => importsOf(file).flatMap((found) => judge(file, found)));
for (const violation of violations) console.log(violation);
if (violations.length > 0) process.exit(1);
console.log(`${files.length} files import downwards only.`);

function judge(file, { specifier, line }) {
  const from = roomOf(file);
  const at = `${file}:${line}`;
  if (!isKnown(from))
    return [`${at} ${from} is a room without a place: add it to scripts/import-direction.mjs.`];
  if (!specifier.startsWith(".")) return judgePackage(from, at, specifier);
  const target = posix.join(posix.dirname(file), specifier);
  const to = roomOf(target);
  if (to === from || mayImport(from, to)) return [];
  return [`${at} imports ${target}: ${ruleFor(from, to)}`];
}

function judgePackage(from, at, specifier) {
  if (from in BROWSER && specifier.startsWith("node:")) {
    return [`${at} imports ${specifier}: ${from} runs in the browser, which has no Node modules.`];
  }
  const isFramework = /^(hono|@hono)(\/|$)/.test(specifier);
  if (isFramework && !(from in BROWSER) && !KNOW_HTTP.includes(from)) {
    return [`${at} imports ${specifier}: ${from} knows no HTTP, only ${KNOW_HTTP.join(", ")} do.`];
  }
  return [];
}

function mayImport(from, to) {
  if (from in BROWSER) return BROWSER[from].includes(to);
  return rankOf(to) > rankOf(from);
}

function ruleFor(from, to) {
  if (from in BROWSER) {
    const allowed = [from, ...BROWSER[from]].join(", ");
    return `${from} runs in the browser and may import only from ${allowed}.`;
  }
  if (to in BROWSER) return `${to} runs in the browser; the server doesn't import it.`;
  if (!isKnown(to)) return `${to} is no room of the server.`;
  return `${from} may not import ${to}; imports go down only: ${LINE}.`;
}

/** `src/http/app.ts` is in `http`, `src/options.ts` in `options`, `dashboard/api.ts` in `dashboard`. */
function roomOf(file) {
  const [top, second = ""] = file.split("/");
  if (top !== "src") return top;
  return second.replace(/\.tsx?$/, "");
}

function isKnown(room) {
  return room in BROWSER || rankOf(room) >= 0;
}

function rankOf(room) {
  return SERVER.findIndex((rooms) => rooms.includes(room));
}

/** Every `import … from`, `export … from`, `import "…"` and `import("…")`, types too. */
function importsOf(file) {
  const text = readFileSync(join(root, file), "utf8");
  const pattern =
    /^\s*(?:import|export)\s[^"';]*?\bfrom\s*"([^"]+)"|^\s*import\s*"([^"]+)"|\bimport\(\s*"([^"]+)"/gm;
  return [...text.matchAll(pattern)].map((match) => ({
    specifier: match[1] ?? match[2] ?? match[3],
    line: text.slice(0, match.index + match[0].length).split("\n").length,
  }));
}

/** Tests come in through the front door, so they may import from above. */
function sourcesIn(folder) {
  if (!existsSync(join(root, folder))) return [];
  const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !/\.test\.tsx?$/.test(entry.name))
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(root.length + 1)
        .replaceAll("\\", "/"),
    )
    .filter((file) => file !== "dashboard/vite.config.ts")
    .sort();
}
