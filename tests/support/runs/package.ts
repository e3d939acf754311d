import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "..", "..", "..");
/** npm is the machine's own; it runs on the Node of this test run. */
const PATH = [dirname(process.execPath), process.env.PATH].join(delimiter);
const QUIET = ["--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];

export type Packed = { file: string; contents: string[]; remove(): Promise<void> };

/** `npm pack`, as it would be published. */
export async function pack(): Promise<Packed> {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-package-"));
  const { stdout } = await run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
    cwd: ROOT,
    maxBuffer: 16 * 1024 * 1024,
  });
  const [packed] = Object.values(
    JSON.parse(stdout) as Record<string, { filename: string; files: { path: string }[] }>,
  );
  if (!packed) throw new Error(`npm pack said nothing: ${stdout}`);
  return {
    file: join(folder, packed.filename),
    contents: packed.files.map(({ path }) => path),
    remove: () => rm(folder, { recursive: true }),
  };
}

/**
 * Installs an example in a separate folder, with what its package.json names, or what is given instead, and
 * the packed package.
 */
export async function installExample(name: string, packed: Packed, instead: string[] = []): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `latchkey-${name}-`));
  await cp(join(ROOT, "examples", name), folder, { recursive: true });
  await npm(["install", packed.file, ...instead, ...QUIET], folder);
  return folder;
}

export async function npm(
  words: string[],
  folder: string,
  env: Record<string, string> = {},
): Promise<string> {
  try {
    const { stdout } = await run("npm", words, {
      cwd: folder,
      env: { ...process.env, PATH, ...env },
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`npm ${words.join(" ")} failed in ${folder}:\n${stdout}\n${stderr}`);
  }
}

export type Running = {
  /** Sends a signal, and waits for the program to end. Returns the exit code. */
  stop(signal?: "SIGTERM" | "SIGKILL"): Promise<number | null>;
  /** Everything that it has printed so far. */
  said(): string;
};

/**
 * Starts a program that prints nothing, and waits until it listens. @throws with all its output if it ends
 * first.
 */
export async function startAtPort(
  command: string[],
  folder: string,
  env: Record<string, string>,
  port: number,
): Promise<Running> {
  const { child, said, running } = begin(command, folder, env);
  while (!(await listens(port))) {
    if (child.exitCode !== null) throw new Error(`${command.join(" ")} ended: ${said()}`);
    await setTimeout(50);
  }
  return running;
}

async function listens(port: number): Promise<boolean> {
  return fetch(`http://localhost:${port}/auth/healthz`).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** Starts a program and waits until it prints `ready`. @throws with all its output if it ends first. */
export async function start(
  command: string[],
  folder: string,
  env: Record<string, string>,
  ready: RegExp,
): Promise<Running> {
  const { child, said, running } = begin(command, folder, env);
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", () => {
        if (ready.test(said())) resolve();
      });
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`${command.join(" ")} ended: ${said()}`)));
  });
  return running;
}

/** Starts a program; `said` returns everything that it has printed so far. */
function begin(command: string[], folder: string, env: Record<string, string>) {
  const [program = "", ...words] = command;
  const child = spawn(program, words, { cwd: folder, env: { HOME: process.env.HOME, PATH, ...env } });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
  const said = () => text;
  return { child, said, running: runningOf(child, said) };
}

function runningOf(child: ChildProcess, said: () => string): Running {
  return {
    said,
    async stop(signal = "SIGTERM") {
      if (child.exitCode !== null) return child.exitCode;
      const gone = once(child, "exit");
      child.kill(signal);
      const [code] = await gone;
      return code;
    },
  };
}
