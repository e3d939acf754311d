import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);
const PACKAGE = join(import.meta.dirname, "..", "..", "dist", "index.js");
const APP = `
  import { createLatchkey } from "${PACKAGE}";
  createLatchkey({ baseUrl: "http://localhost:3000/auth" }).catch(({ message }) => console.log(message));`;

describe.each(["es", "cjs"] as const)("A server that was bundled into one file (%s)", (format) => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "latchkey-bundled-"));
    const entry = join(folder, "app.mjs");
    await writeFile(entry, APP);
    const fileName = format === "es" ? "server.mjs" : "server.cjs";
    await build({
      configFile: false,
      logLevel: "silent",
      root: folder,
      ssr: { noExternal: true },
      build: {
        ssr: entry,
        minify: false,
        rolldownOptions: { output: { format, entryFileNames: fileName, codeSplitting: false } },
      },
    });
  }, 60_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("says what to do, and creates nothing", async () => {
    const file = join(folder, "dist", format === "es" ? "server.mjs" : "server.cjs");
    const { stdout } = await run(process.execPath, [file], { cwd: folder });
    expect(stdout).toMatch(
      /^Latchkey's own files are missing.+ Keep the package "latchkey" out of the bundle/,
    );
    expect(existsSync(join(folder, "latchkey-data"))).toBe(false);
  });
});
