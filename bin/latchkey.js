#!/usr/bin/env node
// Starts the command line: from the sources in a clone, from the built files in the published package.
// Plain JavaScript that any Node can read, so that an old one gets the pinned Node or a clear line.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** Since then node:crypto has argon2. */
const NEEDED = [24, 7];
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const pinnedNode = join(
  root,
  "node_modules",
  "node",
  "bin",
  process.platform === "win32" ? "node.exe" : "node",
);
const source = join(root, "src", "cli", "main.ts");
const built = join(root, "dist", "cli", "main.js");
const isClone = existsSync(source) && !root.includes("node_modules");

if (isClone && !existsSync(join(root, "node_modules"))) {
  stop(
    `Latchkey's dependencies are not installed yet. Run this first: node ${join(root, "scripts", "set-up.mjs")}`,
  );
} else if (process.versions.bun || process.versions.deno) {
  stop("Latchkey needs Node.js itself. Start it with node, npm or npx.");
} else if (isNewEnough(process.versions.node)) {
  await import(pathToFileURL(isClone ? source : built).href);
} else if (existsSync(pinnedNode)) {
  runOn(pinnedNode);
} else {
  stop(
    `Latchkey needs Node.js ${NEEDED.join(".")} or newer, and this is ${process.versions.node}. Please update Node.js.`,
  );
}

function isNewEnough(version) {
  const [major, minor] = version.split(".").map(Number);
  return major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1]);
}

function runOn(node) {
  const child = spawn(node, process.argv.slice(1), { stdio: "inherit" });
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  process.on("SIGHUP", () => child.kill("SIGHUP"));
  // Ctrl-C in a terminal reaches the child by itself.
  process.on("SIGINT", () => process.stdin.isTTY || child.kill("SIGINT"));
  child.on("error", (error) => stop(`Latchkey could not start ${node}: ${error.message}`));
  child.on("exit", (code, signal) => process.exit(signal ? 1 : code));
}

function stop(line) {
  console.error(line);
  process.exit(1);
}
