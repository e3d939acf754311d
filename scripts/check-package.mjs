// `npm run check:package`: the package as it is published, in empty folders: its types as the usual tools
// judge them, then from nothing to a protected page, on each Node that it supports.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const NODES = ["24.7", "24", "26"];
const TOO_OLD = ["20", "22", "24.6"];
const QUIET = ["--no-audit", "--no-fund", "--loglevel=error"];
/**
 * Exact versions, so that a failing check says something about the package, and not about a tool's new
 * release.
 */
const PUBLINT = "publint@0.3.25";
const ATTW_CLI = "@arethetypeswrong/cli@0.18.5";
/** ES modules only, and only for tools that read `exports`; the style sheet has no code. */
const ATTW = [
  "--profile",
  "esm-only",
  "--exclude-entrypoints",
  "react/latchkey.css",
  "--no-emoji",
  "--format",
  "ascii",
];

/** What an app in TypeScript installs itself. */
const TYPED = [
  "express@5",
  "@types/express@5",
  "fastify@5",
  "hono@4",
  "react@19",
  "@types/react@19",
  "@tanstack/react-query@5",
  "@types/node@24",
];

const FIRST_APP = `
import express from "express";
import { createLatchkey } from "latchkey";
import { mount, requireSession } from "latchkey/express";
const latchkey = await createLatchkey({ baseUrl: \`http://localhost:\${process.env.PORT}/auth\` });
const app = express();
app.use(mount(latchkey));
app.get("/", requireSession(latchkey), (request, reply) => reply.send(request.latchkey.account.email));
app.listen(Number(process.env.PORT));
`;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const work = mkdtempSync(join(tmpdir(), "latchkey-package-"));
process.on("exit", () => rmSync(work, { recursive: true, force: true }));
const failed = [];

run("npm", ["pack", "--pack-destination", work, "--loglevel=error"], root);
const packed = join(work, readdirSync(work).find((name) => name.endsWith(".tgz")) ?? "");
await step("publint", () => quietly("npx", ["--yes", PUBLINT, packed, "--strict"]));
await step("attw: are the types right?", () => quietly("npx", ["--yes", ATTW_CLI, packed, ...ATTW]));
for (const resolution of ["nodenext", "bundler"]) {
  await step(`an app's types with moduleResolution ${resolution}`, () => checkTypes(resolution));
}
for (const node of NODES) {
  await step(`from an empty folder to a protected page on Node ${node}`, () => firstPage(node));
}
for (const node of TOO_OLD) await step(`one sentence on Node ${node}, which is too old`, () => refusal(node));
process.exit(failed.length === 0 ? 0 : 1);

/** Says what is being done, how long it took, and what it printed if it failed. */
async function step(name, act) {
  const began = Date.now();
  try {
    const said = await act();
    console.log(`pass  ${name} (${secondsSince(began)})${said ? `: ${said}` : ""}`);
  } catch (error) {
    failed.push(name);
    console.log(`FAIL  ${name} (${secondsSince(began)})\n${error.message}`);
  }
}

function checkTypes(moduleResolution) {
  const folder = emptyFolder(moduleResolution);
  run("npm", ["install", packed, ...TYPED, ...QUIET], folder);
  cpSync(join(root, "tests", "package", "typed-app.ts"), join(folder, "app.ts"));
  cpSync(join(root, "tests", "package", "typed-page.ts"), join(folder, "page.ts"));
  const module = moduleResolution === "nodenext" ? "nodenext" : "esnext";
  const compilerOptions = {
    module,
    moduleResolution,
    target: "es2024",
    lib: ["es2024", "dom"],
    jsx: "react-jsx",
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    types: ["node"],
  };
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({ compilerOptions, files: ["app.ts", "page.ts"] }),
  );
  run(join(root, "node_modules", ".bin", "tsc"), ["-p", "."], folder);
}

async function firstPage(version) {
  const runtime = emptyFolder(`node-${version}`);
  run("npm", ["install", `node@${version}`, ...QUIET], runtime);
  const bin = join(runtime, "node_modules", "node", "bin");
  const folder = emptyFolder(`app-${version}`);
  const port = await freePort();

  const began = Date.now();
  run("npm", ["install", packed, "express@5", ...QUIET], folder, bin);
  writeFileSync(join(folder, "app.js"), FIRST_APP);
  const installed = secondsSince(began);
  const app = spawn(join(bin, "node"), ["app.js"], {
    cwd: folder,
    env: { ...process.env, PORT: String(port) },
  });
  let said = "";
  for (const stream of [app.stdout, app.stderr]) stream.on("data", (chunk) => (said += chunk));
  try {
    const page = await untilAnswered(
      `http://localhost:${port}/`,
      () => app.exitCode === null,
      () => said,
    );
    if (page.status !== 302 || !page.headers.get("location")?.includes("/auth/login")) {
      throw new Error(`The page isn't protected: ${page.status}`);
    }
    const took = secondsSince(began);
    const help = run("npx", ["latchkey", "--help"], folder, bin);
    if (!help.includes("serve")) throw new Error(`npx latchkey says: ${help}`);
    await serveAlone(bin, folder);
    const packages = readdirSync(join(folder, "node_modules"));
    if (packages.includes("react")) throw new Error("A server has React installed.");
    return `installed in ${installed}, the protected page after ${took}`;
  } finally {
    app.kill();
  }
}

function refusal(node) {
  const folder = emptyFolder(`too-old-${node}`);
  run("npm", ["install", packed, ...QUIET], folder);
  const app =
    'import { createLatchkey } from "latchkey"; await createLatchkey().catch((e) => console.log(e.message))';
  for (const args of [
    ["--input-type=module", "--eval", app],
    [join(folder, "node_modules", "latchkey", "bin", "latchkey.js"), "--version"],
  ]) {
    const { stdout, stderr } = spawnSync("npx", ["--yes", `node@${node}`, ...args], {
      cwd: folder,
      env: environment(),
      encoding: "utf8",
    });
    const said = (stdout + stderr).trim();
    if (!/^Latchkey needs Node\.js 24\.7 or newer.*$/.test(said)) throw new Error(said);
  }
}

/** `npx latchkey serve`, until its login page is there. */
async function serveAlone(bin, folder) {
  const port = await freePort();
  const env = { ...environment(bin), PORT: String(port) };
  // In a separate process group: npx is the parent of the server, and both must end.
  const server = spawn("npx", ["latchkey", "serve"], { cwd: folder, env, detached: true });
  let said = "";
  for (const stream of [server.stdout, server.stderr]) stream.on("data", (chunk) => (said += chunk));
  try {
    const page = await untilAnswered(
      `http://localhost:${port}/login`,
      () => server.exitCode === null,
      () => said,
    );
    if (page.status !== 200) throw new Error(`npx latchkey serve answered ${page.status}:\n${said}`);
  } finally {
    const gone = once(server, "exit");
    if (server.exitCode === null) {
      process.kill(-server.pid);
      await gone;
    }
  }
}

async function untilAnswered(url, isRunning, said) {
  for (;;) {
    try {
      return await fetch(url, { redirect: "manual", headers: { Accept: "text/html" } });
    } catch {
      if (!isRunning()) throw new Error(`The app ended:\n${said()}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

function emptyFolder(name) {
  const folder = join(work, name);
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  return folder;
}

/** The machine's own PATH, without this clone's programs. */
function environment(firstOnPath) {
  const own = join(root, "node_modules", ".bin");
  const path = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== own);
  return { ...process.env, PATH: [firstOnPath ?? [], ...path].flat().join(delimiter) };
}

function run(command, args, cwd, firstOnPath) {
  const env = environment(firstOnPath);
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, env, encoding: "utf8" });
  if (status === 0) return stdout;
  throw new Error(`${command} ${args.join(" ")}\n${stdout ?? ""}${stderr ?? ""}${error?.message ?? ""}`);
}

/** A tool whose report matters only if it fails. */
function quietly(command, args) {
  run(command, args, work);
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

function secondsSince(began) {
  return `${((Date.now() - began) / 1000).toFixed(1)} s`;
}
