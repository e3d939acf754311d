import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { browserFor, signUpFrom } from "../support/browsers/browser.ts";
import { freshEmail, PASSWORD } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { npm, type Packed, pack, type Running, start } from "../support/runs/package.ts";
import { recipeOf, withPacked, writeFiles } from "../support/runs/recipes.ts";
import { freePort } from "../support/servers/free-port.ts";

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
    await writeFiles(recipe.files, folder, port);
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

  it("have the types that its own check wants", async () => {
    expect(await npm(["run", "check"], folder)).toContain("0 errors");
  });

  it("take a person in and back, and show them their devices", async () => {
    const email = freshEmail();
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await signUpFrom(page, origin, email, PASSWORD);
    await page.getByText(`Hello, ${email}`).waitFor();
    await page.goto(`${origin}/auth/settings/security`);
    await page.getByText("Current session").waitFor();
  });
});

/** What the page has its reader type first, without the install: the recipe's own comes next. */
async function creatingLine(): Promise<string[]> {
  const page = join(import.meta.dirname, "..", "..", "docs", "sveltekit.md");
  const [, words = ""] = /^npx (sv create .+) --install npm$/m.exec(await readFile(page, "utf8")) ?? [];
  expect(words).not.toBe("");
  return [...words.split(" "), "--no-install"];
}
