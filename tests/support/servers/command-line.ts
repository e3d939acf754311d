import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Node's compile cache, so that each of some hundred starts needn't compile everything again. */
const COMPILED = join(tmpdir(), "latchkey-test-compile-cache");
/** As it is shipped, and as `npm start` starts it. */
export const MAIN = join(import.meta.dirname, "..", "..", "..", "dist", "cli", "main.js");

export type Ran = { code: number | null; out: string; err: string };

type Setting = {
  cwd: string;
  env?: Record<string, string>;
  input?: string;
  /** The id of another user to run as; only root may. */
  user?: number;
  /** What is on a full disk: `/dev/full` replaces it. */
  full?: "stdout" | "stderr";
};

/** The real command line, as a child process with its own environment and no terminal. */
export async function latchkey(words: string[], { input = "", ...where }: Setting): Promise<Ran> {
  const child = start(words, where);
  const ran: Ran = { code: null, out: "", err: "" };
  child.stdout?.on("data", (chunk: Buffer) => {
    ran.out += chunk.toString();
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    ran.err += chunk.toString();
  });
  child.stdin?.end(input);
  [ran.code] = (await once(child, "close")) as [number | null];
  return ran;
}

export type Serving = { child: ChildProcess; line: string; stop(): Promise<number | null> };

/** `latchkey serve`, once it has reported that it is ready. */
export async function serve({ cwd, env = {} }: Omit<Setting, "input">): Promise<Serving> {
  const child = start(["serve"], { cwd, env });
  const [line] = (await once(child.stdout ?? child, "data")) as [Buffer];
  return {
    child,
    line: line.toString(),
    async stop() {
      if (child.exitCode !== null) return child.exitCode;
      const closed = once(child, "close");
      child.kill("SIGTERM");
      const [code] = (await closed) as [number | null];
      return code;
    },
  };
}

/** The same with a reader that is gone before a line is written, as `| head -1` is after the first. */
export async function intoClosedPipe(words: string[], where: Omit<Setting, "input">): Promise<Ran> {
  const child = start(words, where);
  const ran: Ran = { code: null, out: "", err: "" };
  child.stdout?.destroy();
  child.stderr?.on("data", (chunk: Buffer) => {
    ran.err += chunk.toString();
  });
  [ran.code] = (await once(child, "close")) as [number | null];
  return ran;
}

/**
 * The same on a terminal, with everything that appears there. `script` is the program of that name, which
 * provides one. `input` is typed as soon as something appears.
 */
export async function atTerminal(
  script: string,
  words: string[],
  { cwd, env = {}, input }: Setting,
): Promise<string> {
  const command = [process.execPath, MAIN, ...words].map((word) => `'${word}'`).join(" ");
  const child = spawn(script, ["-qec", command, "/dev/null"], {
    cwd,
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: COMPILED, ...env },
    stdio: [input === undefined ? "ignore" : "pipe", "pipe", "inherit"],
  });
  let screen = "";
  child.stdout?.once("data", () => child.stdin?.write(input));
  child.stdout?.on("data", (chunk: Buffer) => {
    screen += chunk.toString();
  });
  await once(child, "close");
  return screen;
}

/** `latchkey` with these arguments, as a child process that the caller listens to. */
export function start(words: string[], { cwd, env = {}, user, full }: Omit<Setting, "input">): ChildProcess {
  const fullDisk = full === undefined ? null : openSync("/dev/full", "w");
  const output = (name: typeof full) => (name === full && fullDisk !== null ? fullDisk : "pipe");
  const child = spawn(process.execPath, [MAIN, ...words], {
    cwd,
    stdio: ["pipe", output("stdout"), output("stderr")],
    ...(user === undefined ? {} : { uid: user, gid: user }),
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: COMPILED, ...env },
  });
  if (fullDisk !== null) closeSync(fullDisk);
  return child;
}
