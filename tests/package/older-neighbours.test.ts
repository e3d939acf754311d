import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { npm, type Packed, pack } from "../support/runs/package.ts";

const run = promisify(execFile);
const QUIET = ["--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];

const SERVER = `
  import { createLatchkey } from "latchkey";
  import { mount } from "latchkey/express";
  const latchkey = await createLatchkey({ baseUrl: "http://localhost:3000/auth", logLevel: "silent" });
  console.log(typeof mount(latchkey));
  await latchkey.close();`;

const CARDS = `
  import { createElement } from "react";
  import { renderToString } from "react-dom/server";
  import { LatchkeyProvider } from "latchkey/react";
  renderToString(createElement(LatchkeyProvider, { basePath: "/auth" }, "cards"));`;

/**
 * Only the cards need React and TanStack Query, and npm refuses a package whose peers don't match, optional
 * or not.
 */
describe.each([
  ["React 18", ["react@18", "react-dom@18", "@tanstack/react-query@5"], "needs React 19 or newer (found 18."],
  ["TanStack Query 4", ["react@19", "react-dom@19", "@tanstack/react-query@4"], "needs TanStack Query 5"],
])("In an app with %s", (_name, neighbours, sentence) => {
  let packed: Packed;
  let folder: string;
  beforeAll(async () => {
    packed = await pack();
    folder = await mkdtemp(join(tmpdir(), "latchkey-older-"));
    await npm(["install", "express@5", ...neighbours, ...QUIET], folder);
    await npm(["install", packed.file, ...QUIET], folder);
  }, 120_000);
  afterAll(async () => {
    await packed.remove();
    await rm(folder, { recursive: true, force: true });
  });
  const node = (source: string) =>
    run(process.execPath, ["--input-type=module", "--eval", source], { cwd: folder });

  it("the package installs, and the server uses it", async () => {
    expect((await node(SERVER)).stdout).toContain("function");
  });

  it("the cards say in one sentence what they need", async () => {
    await expect(node(CARDS)).rejects.toThrow(sentence);
  });
});

describe("In an app with TypeScript 5.4, which reads every declaration file", () => {
  const entries = ["", "/express", "/fastify", "/client", "/react", "/elements"];
  const neighbours = ["typescript@5.4", "@types/node@24", "express@5", "@types/express@5", "fastify@5"];
  const forCards = ["react@19", "@types/react@19", "@tanstack/react-query@5"];
  let packed: Packed;
  let folder: string;
  beforeAll(async () => {
    packed = await pack();
    folder = await mkdtemp(join(tmpdir(), "latchkey-older-"));
    await npm(["install", packed.file, ...neighbours, ...forCards, ...QUIET], folder);
  }, 120_000);
  afterAll(async () => {
    await packed.remove();
    await rm(folder, { recursive: true, force: true });
  });

  it("nothing is wrong with those of the package", async () => {
    const lines = entries.map((entry, at) => `export * as entry${at} from "latchkey${entry}";`);
    await writeFile(join(folder, "app.mts"), lines.join("\n"));
    const options = ["--strict", "--noEmit", "--target", "es2022", "--module", "nodenext", "--types", "node"];
    const compiler = join(folder, "node_modules", ".bin", "tsc");
    const { stdout } = await run(compiler, [...options, "app.mts"], { cwd: folder }).catch(
      (failed) => failed,
    );
    expect(stdout).toBe("");
  });
});
