import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmod, cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A system program, run with an example file that people copy. */
export type Example = {
  /** The program, and the name of its package. */
  name: string;
  debianPackage: string;
  folder: string;
  file: string;
  /** Stops it at once, however many connections are open. */
  stopSignal: NodeJS.Signals;
  /** Starts the program on a copy of that folder. */
  run(program: string, folder: string, file: string): Promise<ChildProcess>;
};

export type Running = { stop(): Promise<void> };

export type Place = "proxy" | "latchkey" | "app";

/** How each of these is written in an example. */
const WRITTEN: Record<Place, RegExp> = {
  latchkey: /(?<=:)3000\b/g,
  app: /(?<=:|", )4000\b/g,
  proxy: /(?<=:)8080\b/g,
};

/** What an operator changes by hand, by file: what is there, and what is written instead. */
export type Changes = Record<string, [stands: string, written: string]>;

/**
 * Starts an example as it is, except for the ports and what the operator changes. Resolves once it takes
 * connections at the port of `listensAs`. @throws with all its output if it stops instead.
 */
export async function startExample(
  example: Example,
  program: string,
  listensAs: Place,
  ports: Partial<Record<Place, number>>,
  changes: Changes = {},
): Promise<Running> {
  const folder = await mkdtemp(join(tmpdir(), `latchkey-${example.name}-`));
  await cp(join(import.meta.dirname, "..", "..", "examples", example.folder), folder, { recursive: true });
  // A program that root starts may switch to another user.
  await chmod(folder, 0o755);
  const file = join(folder, example.file);
  await writeFile(file, withPorts(await readFile(file, "utf8"), ports));
  for (const name of await readdir(folder)) await change(join(folder, name), changes[name]);
  const child = await example.run(program, folder, example.file);
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
  const closed = once(child, "close");
  const isListening = await Promise.race([listens(ports[listensAs] ?? 0, child), closed.then(() => false)]);
  if (!isListening) throw new Error(`${example.name} stopped:\n${said}`);
  return {
    async stop() {
      child.kill(example.stopSignal);
      await closed;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function change(file: string, [stands, written]: Changes[string] = ["", ""]): Promise<void> {
  const text = await readFile(file, "utf8");
  if (!text.includes(stands)) throw new Error(`${stands} isn't in the example.`);
  await writeFile(
    file,
    text.replace(stands, () => written),
  );
}

function withPorts(text: string, ports: Partial<Record<Place, number>>): string {
  return (Object.entries(ports) as [Place, number][]).reduce((replaced, [place, port]) => {
    if (text.search(WRITTEN[place]) < 0) throw new Error(`The port of ${place} isn't in the example.`);
    return replaced.replace(WRITTEN[place], String(port));
  }, text);
}

/** Tries until something listens, or the program is gone. */
async function listens(port: number, child: ChildProcess): Promise<boolean> {
  while (child.exitCode === null && child.signalCode === null) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1");
      socket.once("connect", () => resolve(true)).once("error", () => setTimeout(resolve, 20, false));
      socket.once("connect", () => socket.destroy());
    });
    if (isOpen) return true;
  }
  return false;
}
