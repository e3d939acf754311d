import { spawn } from "node:child_process";

/** What is scanned: its address, someone's session cookie, and a folder for what a scanner writes. */
export type Target = { url: string; cookie: string; folder: string };

/** Runs a program and collects its output; after this many seconds it is told to stop, and then killed. */
export async function run(program: string, args: string[], mostSeconds: number): Promise<string> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  const interrupt = setTimeout(() => child.kill("SIGINT"), mostSeconds * 1_000);
  const kill = setTimeout(() => child.kill("SIGKILL"), (mostSeconds + 20) * 1_000);
  await new Promise((resolve, reject) => child.once("close", resolve).once("error", reject));
  clearTimeout(interrupt);
  clearTimeout(kill);
  return output;
}
