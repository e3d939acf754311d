import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { npm, type Packed, pack, start } from "../support/runs/package.ts";
import { freePort } from "../support/servers/free-port.ts";

const run = promisify(execFile);
const QUIET = ["--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
const NAVIGATION = { Accept: "text/html", "Sec-Fetch-Mode": "navigate" };
const TELEMETRY = { ASTRO_TELEMETRY_DISABLED: "1", NUXT_TELEMETRY_DISABLED: "1" };

/**
 * The files as `npm create astro` and `npm create nuxt` make them; both fetch their templates from GitHub.
 */
const APPS = {
  Astro: {
    install: ["astro@7", "@astrojs/check", "typescript@6", "@types/node@24"],
    made: {
      "astro.config.mjs": 'import { defineConfig } from "astro/config";\nexport default defineConfig({});\n',
      "tsconfig.json": '{ "extends": "astro/tsconfigs/strict", "include": [".astro/types.d.ts", "**/*"] }',
      "src/pages/index.astro":
        "---\nconst { email } = Astro.locals.account;\n---\n<html><body>{email}</body></html>\n",
    },
    commands: [
      ["astro", "build"],
      ["astro", "check"],
    ],
  },
  Nuxt: {
    install: ["nuxt@4", "vue", "vue-router", "vue-tsc", "typescript@5", "@types/node@24"],
    made: {
      "nuxt.config.ts": 'export default defineNuxtConfig({ compatibilityDate: "2025-07-15" });\n',
      "tsconfig.json": `{ "files": [], "references": [
        { "path": "./.nuxt/tsconfig.app.json" }, { "path": "./.nuxt/tsconfig.server.json" } ] }`,
      "app/app.vue": `<script setup lang="ts">
        const { data } = await useFetch("/api/me");
        </script>\n<template><p>{{ data?.email }}</p></template>\n`,
      "server/api/me.get.ts":
        "export default defineEventHandler(({ context }) => ({ email: context.account.email }));\n",
    },
    commands: [
      ["nuxt", "build"],
      ["nuxt", "typecheck"],
    ],
  },
};

describe.each(Object.entries(APPS))("In an app of %s in strict TypeScript", (name, app) => {
  let packed: Packed;
  let folder: string;
  let files: Record<string, string>;
  beforeAll(async () => {
    packed = await pack();
    folder = await mkdtemp(join(tmpdir(), "latchkey-typed-"));
    const page = await sectionOf(name);
    const below = name === "Nuxt" ? "/shop" : "";
    const moved = Object.entries(page.files).map(([path, text]) => [
      path,
      text.replaceAll("/auth", `${below}/auth`),
    ]);
    files = Object.fromEntries(moved);
    const manifest = JSON.stringify({ private: true, type: "module" });
    await write({ "package.json": manifest, ...app.made, ...files });
    const recipe = page.install.map((one) => (one.endsWith(".tgz") ? packed.file : one));
    await npm(["install", ...app.install, ...recipe, ...QUIET], folder);
  }, 300_000);
  afterAll(async () => {
    await packed.remove();
    await rm(folder, { recursive: true, force: true });
  });

  it("the recipe's settings replace those that the app was created with", () => {
    expect(Object.keys(files)).toEqual(expect.arrayContaining([Object.keys(app.made)[0]]));
  });

  it.each(app.commands)(
    "`%s %s` finds nothing wrong with the recipe",
    async (program, command) => {
      const options = { cwd: folder, env: { ...process.env, ...TELEMETRY } };
      await run(join(folder, "node_modules", ".bin", program), [command], options);
    },
    120_000,
  );

  if (name === "Nuxt")
    it("below a path of the host, it leads to the login page and back", async () => {
      const port = await freePort();
      const origin = `http://localhost:${port}`;
      const env = { PORT: String(port), NUXT_APP_BASE_URL: "/shop/" };
      const command = [process.execPath, join(".output", "server", "index.mjs")];
      const running = await start(command, folder, env, /Listening on/);
      try {
        const stranger = await fetch(`${origin}/shop/`, { headers: NAVIGATION, redirect: "manual" });
        const back = encodeURIComponent(`${origin}/shop/`);
        expect(stranger.headers.get("location")).toBe(`${origin}/shop/auth/login?next=${back}`);
        expect((await fetch(`${origin}/shop/auth/login`)).status).toBe(200);
      } finally {
        await running.stop("SIGKILL");
      }
    });

  async function write(named: Record<string, string>): Promise<void> {
    for (const [path, text] of Object.entries(named)) {
      await mkdir(join(folder, dirname(path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
  }
});

/** The files that docs/frameworks.md gives for a framework, and what it installs. */
async function sectionOf(name: string): Promise<{ install: string[]; files: Record<string, string> }> {
  const page = await readFile(join(import.meta.dirname, "..", "..", "docs", "frameworks.md"), "utf8");
  const section = page.split(/^## /m).find((part) => part.startsWith(name)) ?? "";
  const blocks = section.matchAll(/`([\w./[\]-]+)`(?:\]\([^\n]*\))?:\n\n```\w+\n([\s\S]*?)```/g);
  const files = [...blocks].map(([, path = "", text = ""]) => [path, text]);
  const install = /^npm install (.+)$/m.exec(section)?.[1]?.split(" ") ?? [];
  return { install, files: Object.fromEntries(files) };
}
