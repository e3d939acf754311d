import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { browserFor, signUpFrom } from "../support/browsers/browser.ts";
import { freshEmail, PASSWORD } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { npm, type Packed, pack, type Running, start } from "../support/runs/package.ts";
import { recipeOf, withPacked, writeFiles } from "../support/runs/recipes.ts";
import { freePort } from "../support/servers/free-port.ts";

const HOOKS = "src/hooks.server.ts";
const PRERENDERED = {
  "src/routes/about/+page.svelte": "<p>About us</p>\n",
  "src/routes/about/+page.ts": "export const prerender = true;\n",
};
const QUIET = ["--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];

describe("In an app that sv makes today, the lines of docs/sveltekit.md", () => {
  // SvelteKit takes forms only with an Origin, which browsers leave out where sites aren't kept apart.
  const browser = browserFor({ laxer: false });
  let packed: Packed;
  let above: string;
  let folder: string;
  let origin: string;
  let app: Running;
  beforeAll(async () => {
    packed = await pack();
    above = await mkdtemp(join(tmpdir(), "latchkey-sv-create-"));
    folder = join(above, "notes");
    await npm(["exec", "--yes", "--", ...(await creatingLine())], above);
    const recipe = await recipeOf("docs/sveltekit.md");
    const port = await freePort();
    origin = `http://localhost:${port}`;
    await writeFiles({ ...recipe.files, ...(await underALayout()) }, folder, port);
    await npm(["install", ...withPacked(recipe, packed.file), ...QUIET], folder);
    await npm(["run", "build"], folder);
    const env = { PORT: String(port), ORIGIN: origin };
    app = await start([process.execPath, "build"], folder, env, /Listening on/);
  }, 300_000);
  afterAll(async () => {
    await app?.stop("SIGKILL");
    await packed.remove();
    await rm(above, { recursive: true, force: true });
  });

  it("pass the app's own type check", async () => {
    expect(await npm(["run", "check"], folder)).toContain("0 errors");
  });

  it("take a person to the login page and back, and show them their devices", async () => {
    const email = freshEmail();
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await signUpFrom(page, origin, email, PASSWORD);
    await page.getByText(`Hello, ${email}`).waitFor();
    await page.goto(`${origin}/auth/settings/security`);
    await page.getByText("Current session").waitFor();
  });

  it("keep a page from a device whose session has ended, if its layout has the load", async () => {
    const { page, context } = await browser.device({ userAgent: UA.chromeMac });
    await signUpFrom(page, `${origin}/area/first`, freshEmail(), PASSWORD);
    await page.getByText("The first").waitFor();
    const headers = { "Content-Type": "application/json", Origin: origin };
    expect((await context.request.delete(`${origin}/auth/api/session`, { headers })).status()).toBe(204);
    await page.getByRole("link", { name: "On" }).click();
    await page.waitForURL("**/auth/login?next=**");
  });

  it("build a prerendered page, which anyone can read, without opening the database", async () => {
    await app.stop();
    await rm(join(folder, "latchkey-data"), { recursive: true });
    await writeFiles(PRERENDERED, folder, Number(new URL(origin).port));
    await writeFile(join(folder, HOOKS), await withBuilding(await readFile(join(folder, HOOKS), "utf8")));
    await npm(["run", "build"], folder);
    expect(existsSync(join(folder, "latchkey-data"))).toBe(false);
    const env = { PORT: new URL(origin).port, ORIGIN: origin };
    app = await start([process.execPath, "build"], folder, env, /Listening on/);
    expect(await (await fetch(`${origin}/about`)).text()).toContain("About us");
    expect((await fetch(origin)).status).toBe(401);
  }, 120_000);
});

/** Two pages without a load of their own, below a layout with the one that the page of the documentation gives. */
async function underALayout(): Promise<Record<string, string>> {
  const [, load = ""] = /`(export const load[^`]+)`/.exec(await documentation()) ?? [];
  expect(load).not.toBe("");
  return {
    "src/routes/area/+layout.server.ts": `${load}\n`,
    "src/routes/area/first/+page.svelte": '<p>The first</p><a href="second">On</a>\n',
    "src/routes/area/second/+page.svelte": "<p>The second</p>\n",
  };
}

/** The hooks with the lines that the page of the documentation gives for prerendered pages. */
async function withBuilding(hooks: string): Promise<string> {
  const page = await documentation();
  for (const line of ["if (building) return resolve(event);", "if (!building) await latchkey();"])
    expect(page).toContain(`\`${line}\``);
  const [, first = "", rest = ""] =
    /^([\s\S]*=> \{\n)( {2}const \{ fetch, requireSession[\s\S]*)$/.exec(hooks) ?? [];
  const checked = `${first}  if (building) return resolve(event);\n${rest}`;
  const started = checked.replace("  await latchkey();\n", "  if (!building) await latchkey();\n");
  return `import { building } from "$app/environment";\n${started}`;
}

function documentation(): Promise<string> {
  return readFile(join(import.meta.dirname, "..", "..", "docs", "sveltekit.md"), "utf8");
}

/** What the page has its reader type first, without installing: the recipe's own install comes next. */
async function creatingLine(): Promise<string[]> {
  const [, words = ""] = /^npx (sv create .+) --install npm$/m.exec(await documentation()) ?? [];
  expect(words).not.toBe("");
  return [...words.split(" "), "--no-install"];
}
