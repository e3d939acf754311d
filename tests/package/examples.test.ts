import { execFile } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { browserFor, createAccount, logInInBrowser, signUpFrom } from "../support/browsers/browser.ts";
import { freshEmail, PASSWORD } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { EXAMPLES, NODE } from "../support/runs/examples.ts";
import { installExample, npm, type Packed, pack, type Running, start } from "../support/runs/package.ts";
import { freePort } from "../support/servers/free-port.ts";

const NO_TELEMETRY = { ASTRO_TELEMETRY_DISABLED: "1", NEXT_TELEMETRY_DISABLED: "1" };

describe("The examples, with the packed package", () => {
  // SvelteKit takes forms only with an Origin, which browsers leave out where sites aren't kept apart.
  const browser = browserFor({ laxer: false });
  let packed: Packed;
  beforeAll(async () => {
    packed = await pack();
  });
  afterAll(() => packed.remove());

  describe.each(EXAMPLES)("$title", ({ name, command, ready, stopped, build, without, instead }) => {
    let folder: string;
    let app: Running;
    let origin: string;
    beforeAll(async () => {
      folder = await installExample(name, packed, instead);
      if (without) await takeOut(without.line, join(folder, without.file));
      const port = await freePort();
      origin = `http://localhost:${port}`;
      const env = { PORT: String(port), ORIGIN: origin, ...NO_TELEMETRY };
      if (build) await npm(build, folder, env);
      app = await start(command, folder, env, ready);
    });
    afterAll(async () => {
      await app?.stop("SIGKILL");
      await rm(folder, { recursive: true, force: true });
    });

    it("logs a person in, keeps their notes, and lets one browser log another out", async () => {
      const email = freshEmail();
      const { page: mac } = await browser.device({ userAgent: UA.chromeMac });
      await signUpFrom(mac, origin, email, PASSWORD);
      await mac.getByRole("heading", { name: "Your notes" }).waitFor();
      await mac.getByLabel("A new note").fill("Milk & <honey>");
      await mac.getByRole("button", { name: "Keep it" }).click();
      await mac.getByRole("listitem").getByText("Milk & <honey>").waitFor();

      const { page: windows } = await browser.device({ userAgent: UA.firefoxWindows });
      await windows.goto(origin);
      await windows.waitForURL("**/auth/login?next=**");
      await logInInBrowser(windows, `${origin}/auth`, email, PASSWORD);
      await windows.getByText("Current session").waitFor();
      await windows.goto(origin);
      await windows.getByText(email).waitFor();

      await mac.goto(`${origin}/auth/settings/security`);
      await mac.getByRole("button", { name: "Log out Firefox on Windows" }).click();
      await mac.getByText("Firefox on Windows was logged out.").waitFor();
      await windows.goto(origin);
      await windows.waitForURL("**/auth/login?next=**");
      await windows.getByText("You were logged out from Chrome on Mac OS").waitFor();
    });

    if (name === "sveltekit" || name === "react-router") {
      it("sends someone to the login page who submits a form from a page that was open when the session ended", async () => {
        const email = freshEmail();
        const { page, context } = await browser.device({ userAgent: UA.chromeMac });
        await page.goto(`${origin}/auth/sign-up?next=${encodeURIComponent(`${origin}/`)}`);
        await createAccount(page, email, PASSWORD);
        await page.getByRole("heading", { name: "Your notes" }).waitFor();
        const headers = { "Content-Type": "application/json" };
        await context.request.delete(`${origin}/auth/api/session`, { headers });
        await page.getByLabel("A new note").fill("Too late");
        await page.getByRole("button", { name: "Keep it" }).click();
        await page.waitForURL("**/auth/login");
      });
    }

    if (name === "express") {
      it("can be loaded by a CommonJS app, too", async () => {
        const script =
          'const { createLatchkey } = require("latchkey"); const { mount } = require("latchkey/express"); console.log(typeof createLatchkey, typeof mount);';
        const { stdout } = await promisify(execFile)(NODE, ["-e", script], { cwd: folder });
        expect(stdout.trim()).toBe("function function");
      });
    }

    if (name === "next") {
      it("has the card on a page of its own, live, and its routes answer 401", async () => {
        const email = freshEmail();
        const { page, context } = await browser.device({ userAgent: UA.chromeMac });
        expect((await context.request.get(`${origin}/api/notes`)).status()).toBe(401);
        await page.goto(`${origin}/auth/sign-up?next=${encodeURIComponent(`${origin}/devices`)}`);
        await createAccount(page, email, PASSWORD);
        await page.getByText("Current session").waitFor();
        expect(await (await context.request.get(`${origin}/api/notes`)).json()).toEqual([]);
        const { page: windows } = await browser.device({ userAgent: UA.firefoxWindows });
        await logInInBrowser(windows, `${origin}/auth`, email, PASSWORD);
        await windows.getByText("Current session").waitFor();
        await page.getByRole("button", { name: "Log out Firefox on Windows" }).click();
        await windows.waitForURL("**/auth/login");
      });
    }

    if (name === "next") {
      it("answers if the app's setting ends every path in a slash", async () => {
        const program = `
          import { createLatchkey } from "latchkey";
          import { mount, onFirstUse } from "latchkey/next";
          const latchkey = onFirstUse(() => createLatchkey({ baseUrl: "${origin}/auth", logLevel: "silent" }));
          const { GET } = mount(latchkey);
          for (const path of ["/login/", "/api/session/", "/healthz"])
            console.log((await GET(new Request("${origin}/auth" + path))).status);
          await (await latchkey()).close();`;
        const words = ["--input-type=module", "--eval", program];
        const { stdout } = await promisify(execFile)(NODE, words, { cwd: folder });
        expect(stdout.trim().split("\n")).toEqual(["200", "401", "200"]);
      });
    }

    if (name === "express") {
      it("has the element on a page of its own", async () => {
        const { page } = await browser.device({ userAgent: UA.chromeMac });
        await page.goto(`${origin}/auth/sign-up?next=${encodeURIComponent(`${origin}/devices`)}`);
        await createAccount(page, freshEmail(), PASSWORD);
        await page.waitForURL(`${origin}/devices`);
        await page.getByText("Only this device is logged in.").waitFor();
      });

      it("closes the connections of a session that ends", async () => {
        const email = freshEmail();
        const { context } = await browser.device({ userAgent: UA.chromeMac });
        const headers = { "Content-Type": "application/json" };
        const data = { email, password: PASSWORD };
        await context.request.post(`${origin}/auth/api/accounts`, { headers, data });
        const [cookie] = await context.cookies();
        const { body, status } = await fetch(`${origin}/stream`, {
          headers: {
            Cookie: (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join("; "),
          },
        });
        expect([cookie?.name, status]).toEqual([expect.any(String), 200]);
        const reader = (body as ReadableStream<Uint8Array>).getReader();
        expect(new TextDecoder().decode((await reader.read()).value)).toContain("hello");
        await context.request.delete(`${origin}/auth/api/session`);
        expect((await reader.read()).done).toBe(true);
      });
    }

    it("stops on SIGTERM even while an open page listens", async () => {
      const { context } = await browser.device({ userAgent: UA.chromeMac });
      const headers = { "Content-Type": "application/json" };
      await context.request.post(`${origin}/auth/api/accounts`, {
        headers,
        data: { email: freshEmail(), password: PASSWORD },
      });
      const cookie = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
      const { body } = await fetch(`${origin}/auth/api/live`, { headers: { Cookie: cookie } });
      const reader = (body as ReadableStream<Uint8Array>).getReader();
      expect(new TextDecoder().decode((await reader.read()).value)).toContain(": open");
      expect(await app.stop()).toBe(stopped);
      await reader.read().catch(() => {});
    });
  });
});

async function takeOut(line: string, file: string): Promise<void> {
  const text = await readFile(file, "utf8");
  expect(text).toContain(line);
  await writeFile(file, text.replace(line, ""));
}
