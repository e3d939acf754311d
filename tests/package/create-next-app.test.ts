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

const QUIET = ["--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
/** All its defaults, but an empty page: the default one loads fonts from elsewhere while it builds. */
const CREATE = ["app", "--yes", "--empty", "--use-npm", "--disable-git", "--skip-install"];
/** A page of the app's own, with a link that the client-side router follows. */
const WITH_LINK = `import Link from "next/link";
export default function Page() { return <Link href="/private" prefetch={false}>Private</Link>; }
`;
/** A route handler as the documentation shows it, completed as its reader would. */
const ROUTE_HANDLER = `import { withSession } from "latchkey/next";
import { latchkey } from "../../../lib/latchkey";
export const GET = withSession(latchkey, (request, { account }) => Response.json(account));
`;
const LINE = 'serverExternalPackages: ["latchkey"],';

describe("In an app that create-next-app makes today, the lines of docs/next.md", () => {
  const browser = browserFor();
  let packed: Packed;
  let above: string;
  let folder: string;
  let origin: string;
  let app: Running;
  let builtWithDatabase: boolean;
  beforeAll(async () => {
    packed = await pack();
    above = await mkdtemp(join(tmpdir(), "latchkey-create-next-app-"));
    await npm(["exec", "--yes", "--", "create-next-app@latest", ...CREATE], above);
    folder = join(above, "app");
    const recipe = await recipeOf("docs/next.md");
    const port = await freePort();
    origin = `http://localhost:${port}`;
    const added = { "app/link/page.tsx": WITH_LINK, "app/api/me/route.ts": ROUTE_HANDLER };
    await writeFiles({ ...recipe.files, ...added }, folder, port);
    await addTheLine(join(folder, "next.config.ts"));
    await npm(["install", ...withPacked(recipe, packed.file), ...QUIET], folder);
    await npm(["run", "build"], folder);
    builtWithDatabase = existsSync(join(folder, "latchkey-data"));
    const command = [process.execPath, join("node_modules", "next", "dist", "bin", "next"), "start"];
    app = await start(command, folder, { PORT: String(port), NEXT_TELEMETRY_DISABLED: "1" }, /Ready in/);
  }, 300_000);
  afterAll(async () => {
    await app?.stop("SIGKILL");
    await packed.remove();
    await rm(above, { recursive: true, force: true });
  });

  it("open no database while Next.js builds, even though it calls route handlers then", () => {
    expect(builtWithDatabase).toBe(false);
  });

  it("give a protected route handler: a stranger gets 401", async () => {
    expect((await fetch(`${origin}/api/me`)).status).toBe(401);
  });

  it("give a protected page: a stranger gets status 200, none of its content, and the login page", async () => {
    const answer = await fetch(`${origin}/private`, { headers: { Accept: "text/html" } });
    expect(answer.status).toBe(200);
    const text = await answer.text();
    expect(text).not.toContain("Hello");
    expect(text).toContain("/auth/login?next=");
  });

  it("take a person to the login page and back, and show their devices on a page of the app", async () => {
    const email = freshEmail();
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await signUpFrom(page, `${origin}/private`, email, PASSWORD);
    await page.getByText(`Hello, ${email}`).waitFor();
    await page.goto(`${origin}/devices`);
    await page.getByText("Current session").waitFor();
  });

  it("refuse a page to the client-side router, too, once its session has ended", async () => {
    const { page, context } = await browser.device({ userAgent: UA.chromeMac });
    await signUpFrom(page, `${origin}/private`, freshEmail(), PASSWORD);
    await page.getByText("Hello").waitFor();
    await page.goto(`${origin}/link`);
    const headers = { "Content-Type": "application/json" };
    expect((await context.request.delete(`${origin}/auth/api/session`, { headers })).status()).toBe(204);
    await page.getByRole("link", { name: "Private" }).click();
    await page.waitForURL("**/auth/login?next=**");
  });

  it("run in the development server without an error in its log", async () => {
    await app.stop();
    const port = new URL(origin).port;
    const command = [process.execPath, join("node_modules", "next", "dist", "bin", "next"), "dev"];
    app = await start(command, folder, { PORT: port, NEXT_TELEMETRY_DISABLED: "1" }, /Ready in/);
    const email = freshEmail();
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await signUpFrom(page, `${origin}/private`, email, PASSWORD);
    await page.getByText(`Hello, ${email}`).waitFor();
    expect(app.said()).toContain("GET /private 200");
    expect(app.said()).not.toContain("Error");
  }, 120_000);

  it("give its standalone output all the files that Latchkey reads: it serves pages, and takes new accounts", async () => {
    await app.stop();
    const [, lines = ""] = /```ts\n(output: "standalone",[\s\S]*?)```/.exec(await page("next")) ?? [];
    expect(lines).toContain("outputFileTracingIncludes");
    const config = join(folder, "next.config.ts");
    await writeFile(config, (await readFile(config, "utf8")).replace(LINE, `${LINE}\n${lines}`));
    await npm(["run", "build"], folder);
    const env = { PORT: new URL(origin).port, HOSTNAME: "localhost" };
    const command = [process.execPath, join(".next", "standalone", "server.js")];
    app = await start(command, folder, env, /Ready in/);
    expect((await fetch(`${origin}/auth/login`)).status).toBe(200);
    const headers = { "Content-Type": "application/json", Origin: origin };
    const body = JSON.stringify({ email: freshEmail(), password: PASSWORD });
    expect((await fetch(`${origin}/auth/api/accounts`, { method: "POST", headers, body })).status).toBe(201);
  }, 300_000);
});

function page(name: string): Promise<string> {
  return readFile(join(import.meta.dirname, "..", "..", "docs", `${name}.md`), "utf8");
}

async function addTheLine(config: string): Promise<void> {
  const text = await readFile(config, "utf8");
  expect(text).toContain("cacheComponents: true,");
  await writeFile(config, text.replace("cacheComponents: true,", `cacheComponents: true,\n  ${LINE}`));
}
