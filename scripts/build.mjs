// Builds what is shipped: `node scripts/build.mjs dashboard` and `node scripts/build.mjs package`.
// Types are checked by `npm run check`; here, only a syntax error stops the build.
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const builds = { dashboard: buildDashboard, package: buildPackage };

const [what = ""] = process.argv.slice(2);
if (!(what in builds)) {
  console.error(`Say what to build: ${Object.keys(builds).join(" or ")}.`);
  process.exit(2);
}
builds[what]();

function buildDashboard() {
  run("vite/bin/vite.js", "build", "dashboard", "--logLevel", "warn");
  for (const file of filesIn(join(root, "dist", "dashboard")))
    if (/\.(js|css|svg)$/.test(file)) compress(file);
}

/** Compressed once, as well as possible, instead of at each start of the server. */
function compress(file) {
  const bytes = readFileSync(file);
  writeFileSync(`${file}.br`, brotliCompressSync(bytes));
  writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
}

/** The library and the command line as plain JavaScript with its types, beside the built dashboard. */
function buildPackage() {
  const dist = join(root, "dist");
  mkdirSync(dist, { recursive: true });
  for (const name of readdirSync(dist)) {
    if (name !== "dashboard") rmSync(join(dist, name), { recursive: true });
  }
  run("typescript/bin/tsc", "-p", "tsconfig.build.json");
  run("typescript/bin/tsc", "-p", "tsconfig.build-browser.json");
  for (const file of filesIn(dist)) if (file.endsWith(".d.ts")) finishDeclarations(file);
  for (const file of filesIn(join(dist, "elements"))) if (file.endsWith(".js")) rmSync(file);
  for (const of of ["elements", "cli"])
    run("vite/bin/vite.js", "build", "--config", `src/${of}/vite.config.ts`, "--logLevel", "warn");
  for (const file of filesIn(join(root, "src"))) if (/\.(sql|css|css\.d\.ts)$/.test(file)) copyToDist(file);
}

/**
 * The compiler rewrites imports in code, but not those in declarations. Before TypeScript 5.7, `Buffer` and
 * `Uint8Array` took no type in angle brackets.
 */
function finishDeclarations(file) {
  const text = readFileSync(file, "utf8");
  const finished = text
    .replace(/((?:from |import\()"\.{1,2}\/[^"]+)\.tsx?"/g, '$1.js"')
    .replace(/\b(Buffer|Uint8Array)<ArrayBuffer(?:Like)?>/g, "$1");
  if (finished !== text) writeFileSync(file, finished);
}

function copyToDist(file) {
  const target = file.replace(join(root, "src"), join(root, "dist"));
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(file, target);
}

function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function run(program, ...args) {
  const env = { ...process.env, NODE_ENV: "production" };
  const path = join(root, "node_modules", program);
  const { status } = spawnSync(process.execPath, [path, ...args], { cwd: root, env, stdio: "inherit" });
  if (status !== 0) process.exit(1);
}
