import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freshEmail, PASSWORD } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { npm, type Packed, pack, type Running, startAtPort } from "../support/runs/package.ts";
import { type Recipe, recipeOf, withPacked, writeFiles } from "../support/runs/recipes.ts";
import { systemProgram } from "../support/runs/system-program.ts";
import { freePort } from "../support/servers/free-port.ts";

const QUIET = ["--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
const NAVIGATION = { Accept: "text/html", "Sec-Fetch-Mode": "navigate" };
const PAGES = ["README.md", "docs/express.md", "docs/hono.md", "docs/fastify.md", "docs/tutorial.md"];

let packed: Packed;
beforeAll(async () => {
  packed = await pack();
});
afterAll(() => packed.remove());

describe.each(PAGES)("Typed from %s into an empty folder", (page) => {
  let folder: string;
  let app: Running;
  let origin: string;
  let recipe: Recipe;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "latchkey-recipe-"));
    recipe = await recipeOf(page);
    await npm(["install", ...withPacked(recipe, packed.file), ...QUIET], folder);
    const port = await freePort();
    origin = `http://localhost:${port}`;
    await writeFiles(recipe.files, folder, port);
    app = await startAtPort([process.execPath, "server.mjs"], folder, {}, port);
  });
  afterAll(async () => {
    await app?.stop("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  });

  it("the app sends a stranger to the login page, and greets someone who has an account", async () => {
    const stranger = await fetch(origin, { headers: NAVIGATION, redirect: "manual" });
    expect(stranger.status).toBe(302);
    expect(stranger.headers.get("location")).toBe(
      `${origin}/auth/login?next=${encodeURIComponent(`${origin}/`)}`,
    );
    const email = freshEmail();
    const headers = { "Content-Type": "application/json", Origin: origin, "User-Agent": UA.chromeMac };
    const body = JSON.stringify({ email, password: PASSWORD });
    const signedUp = await fetch(`${origin}/auth/api/accounts`, { method: "POST", headers, body });
    expect(signedUp.status).toBe(201);
    const Cookie = signedUp.headers
      .getSetCookie()
      .map((line) => line.split(";")[0])
      .join("; ");
    const greeted = await fetch(origin, { headers: { Cookie } });
    expect(await greeted.text()).toBe(`Hello, ${email}`);
    await fetch(`${origin}/auth/api/session`, { method: "DELETE", headers: { ...headers, Cookie } });
    expect((await fetch(origin, { headers: { Cookie } })).status).toBe(401);
  });
});

it("The README shows the app of docs/express.md", async () => {
  expect((await recipeOf("README.md")).files).toEqual((await recipeOf("docs/express.md")).files);
});

describe("The rest of the tutorial", () => {
  let folder: string;
  let text: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "latchkey-tutorial-"));
    text = await readFile(join(import.meta.dirname, "..", "..", "docs", "tutorial.md"), "utf8");
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const blockAfter = (words: string) => {
    const at = text.indexOf(words);
    expect(at).toBeGreaterThan(0);
    return /```\w+\n([\s\S]*?)```/.exec(text.slice(at))?.[1] ?? "";
  };

  it("gives the login page the brand, and makes Node print no warning", async () => {
    const recipe = await recipeOf("docs/tutorial.md");
    await npm(["install", ...withPacked(recipe, packed.file), ...QUIET], folder);
    const port = await freePort();
    if (recipe.manifest.length > 0) await npm(["pkg", ...recipe.manifest], folder);
    const config = recipe.files["latchkey.config.ts"] ?? "";
    const branded = config.replace(/\n};/, `\n${blockAfter("Add these lines")}};`);
    await writeFiles({ ...recipe.files, "latchkey.config.ts": branded }, folder, port);
    const app = await startAtPort([process.execPath, "server.mjs"], folder, {}, port);
    try {
      const page = await (await fetch(`http://localhost:${port}/auth/login`, { headers: NAVIGATION })).text();
      for (const words of ["Acme Notes", "help@acme.example", "logo"]) expect(page).toContain(words);
    } finally {
      await app.stop();
    }
    expect(existsSync(join(folder, "latchkey-data", "latchkey.db"))).toBe(true);
    const command = join(folder, "node_modules", "latchkey", "bin", "latchkey.js");
    const surroundings = { cwd: folder, env: {}, encoding: "utf8" } as const;
    const { stderr } = spawnSync(process.execPath, [command, "doctor"], surroundings);
    expect(stderr).toBe("");
  });

  it("has a unit that passes systemd's verification, and a configuration that Caddy accepts", async (context) => {
    const analyze = await systemProgram("systemd-analyze", "systemd");
    const caddy = await systemProgram("caddy", "caddy");
    if (analyze === null || caddy === null) return context.skip();
    const unit = join(folder, "notes.service");
    const written = blockAfter("`/etc/systemd/system/notes.service`:");
    await writeFile(unit, written.replace("/usr/bin/node", process.execPath));
    expect(execFileSync(analyze, ["verify", "--man=no", unit], { encoding: "utf8" })).toBe("");
    const caddyfile = join(folder, "Caddyfile");
    await writeFile(caddyfile, blockAfter("`/etc/caddy/Caddyfile`:"));
    const adapted = execFileSync(caddy, ["adapt", "--adapter", "caddyfile", "--config", caddyfile], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    expect(adapted).toContain('"dial":"127.0.0.1:3000"');
  });
});
