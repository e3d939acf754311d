// Sets up a clone. Run before `npm start`, `npm run dev`, `npm test` and `npm run check`: installs the
// dependencies with the pinned Node, builds the dashboard and the package. Silent if there is nothing to do.
// The first run happens on whatever Node the machine has: plain JavaScript, nothing imported from npm.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, "node_modules");
const pinnedNode = join(modules, "node", "bin", process.platform === "win32" ? "node.exe" : "node");
const installStamp = join(modules, ".latchkey-set-up");
const lock = join(modules, ".latchkey-set-up.lock");
const LOCK_IS_STALE_AFTER = 15 * 60_000; // ms

const jobs = [
  { isDone: () => existsSync(pinnedNode) && readOr(installStamp, "") === wantedInstall(), run: install },
  build("dashboard", "the dashboard", ["dashboard", "src/client", "src/react"]),
  build("package", "the package", ["src"]),
];

if (!jobs.every((job) => job.isDone())) {
  takeLock();
  for (const job of jobs) if (!job.isDone()) job.run();
}

function install() {
  const began = Date.now();
  say("Set-up: installing the dependencies and the pinned Node (about half a minute the first time) …");
  rmSync(installStamp, { force: true });
  // `npm install --no-save` rather than `npm ci`: it takes the same versions and hashes from the lock file
  // and leaves that file alone, but doesn't refuse one that lacks packages for other platforms.
  const flags = ["--no-save", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"];
  const result = npm(["install", ...flags]);
  if (result.status !== 0 || !existsSync(pinnedNode)) {
    fail(result, "installing failed. Check that this machine can reach the npm registry, then try again.");
  }
  writeFileSync(installStamp, wantedInstall());
  say(`Set-up: dependencies are in place (${secondsSince(began)}).`);
}

/** Builds again if the sources, the dependencies or the build itself have changed since the last time. */
function build(what, name, folders) {
  const stamp = join(root, "dist", what === "dashboard" ? "dashboard" : "", ".stamp");
  const wanted = () => {
    const files = folders.flatMap(filesIn).filter((file) => !/\.test\.tsx?$/.test(file));
    return hash([
      wantedInstall(),
      ...[...files, "scripts/build.mjs"].flatMap((file) => [file, readOr(join(root, file), "")]),
    ]);
  };
  return {
    isDone: () => readOr(stamp, "") === wanted(),
    run() {
      const began = Date.now();
      say(`Set-up: building ${name} …`);
      const sources = wanted();
      const result = run(pinnedNode, [join(root, "scripts", "build.mjs"), what], process.env);
      if (result.status !== 0) fail(result, `building ${name} failed. The lines above say where.`);
      mkdirSync(dirname(stamp), { recursive: true });
      writeFileSync(stamp, sources);
      say(`Set-up: ${name} is built (${secondsSince(began)}).`);
    },
  };
}

function wantedInstall() {
  const { dependencies, devDependencies, allowScripts } = JSON.parse(
    readOr(join(root, "package.json"), "{}"),
  );
  const listed = JSON.stringify({ dependencies, devDependencies, allowScripts });
  return hash([process.platform, process.arch, listed, readOr(join(root, "package-lock.json"), "")]);
}

function filesIn(folder) {
  if (!existsSync(join(root, folder))) return [];
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  const paths = entries.flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesIn(path) : [path];
  });
  return paths.sort();
}

/** Two starts at once would install into the same folder: the second waits, then finds the work done. */
function takeLock() {
  mkdirSync(modules, { recursive: true });
  for (let waits = 0; !tryLock(); waits++) {
    if (lockIsStale()) rmSync(lock, { force: true });
    else if (waits === 0) say("Set-up: another set-up of this folder is running; waiting for it …");
    sleep(200);
  }
  process.on("exit", () => rmSync(lock, { force: true }));
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));
}

function tryLock() {
  try {
    writeFileSync(lock, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

function lockIsStale() {
  try {
    const holder = Number(readOr(lock, ""));
    if (Date.now() - statSync(lock).mtimeMs > LOCK_IS_STALE_AFTER) return true;
    return holder > 0 && !isRunning(holder);
  } catch {
    return false; // released between the two checks
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/**
 * npm runs on the machine's own Node even if this script runs on the pinned one: it may be about to
 * replace that one.
 */
function npm(args) {
  const ownBin = join(modules, ".bin");
  const path = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== ownBin);
  const env = { ...process.env, PATH: path.join(delimiter) };
  return run("npm", args, env);
}

function run(command, args, env) {
  const shell = process.platform === "win32" && command === "npm";
  return spawnSync(command, args, { cwd: root, env, shell, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
}

function fail(result, advice) {
  const output = `${result.stdout ?? ""}${result.stderr ?? ""}${result.error ? `${result.error.message}\n` : ""}`;
  process.stderr.write(output.split("\n").slice(-40).join("\n"));
  process.stderr.write(`Set-up: ${advice}\n`);
  process.exit(1);
}

function readOr(file, fallback) {
  return existsSync(file) ? readFileSync(file, "utf8") : fallback;
}

function hash(parts) {
  const sum = createHash("sha256");
  for (const part of parts) sum.update(part).update("\0");
  return sum.digest("hex");
}

function say(line) {
  process.stdout.write(`${line}\n`);
}

function secondsSince(began) {
  return `${((Date.now() - began) / 1000).toFixed(1)} s`;
}

function sleep(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
