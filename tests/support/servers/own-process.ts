import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect } from "vitest";
import type { LatchkeyOptions } from "../../../src/index.ts";
import { Client } from "../requests/client.ts";
import { freePort } from "./free-port.ts";

type Options = Omit<LatchkeyOptions, "now" | "port"> & { aheadBy?: number };

/** A node in a separate process, whose log can be read. */
export async function startInOwnProcess(options: Options) {
  const port = await freePort();
  const baseUrl = options.baseUrl ?? `http://localhost:${port}`;
  const all = { logLevel: "info", secretKey: "ab".repeat(32), ...options, port, baseUrl };
  const child = spawn(process.execPath, [join(import.meta.dirname, "second-process.ts")], {
    env: { PATH: process.env.PATH, LATCHKEY_TEST_OPTIONS: JSON.stringify(all) },
  });
  let text = "";
  child.stderr.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  const lines = () => text.split("\n").filter((line) => line !== "");
  await once(child.stdout, "data");
  return {
    port,
    client: (userAgent?: string) => new Client({ baseUrl, port, userAgent }),
    log: lines,
    /** Waits until the log has this many lines with these words. */
    hasSaid: (words: string, times = 1) =>
      expect
        .poll(() => lines().filter((line) => line.includes(words)), { timeout: 30_000 })
        .toHaveLength(times),
    /** Like a crash: nothing that it still had to do gets done. */
    async kill(): Promise<void> {
      const closed = once(child, "close");
      child.kill("SIGKILL");
      await closed;
    },
    /** Resolves to how long it took, in ms. */
    async stop(): Promise<number> {
      const closed = once(child, "close");
      const began = performance.now();
      child.kill("SIGTERM");
      await closed;
      return performance.now() - began;
    },
  };
}
