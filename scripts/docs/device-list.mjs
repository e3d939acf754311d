// The list of devices, in light and dark: docs/login-management.png and docs/login-management-dark.png.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLatchkey } from "../../src/create-latchkey.ts";
import { listen } from "../../src/http/listen.ts";
import { UA } from "../../tests/support/requests/user-agents.ts";
import { ROOT } from "./stage.mjs";

const PORT = 43219;
const ORIGIN = `http://localhost:${PORT}`;
const PERSON = { email: "ada@example.com", password: "wind ferry lantern quartz" };
const HOUR = 3_600_000;
const FILES = { light: "login-management.png", dark: "login-management-dark.png" };

export async function takeDeviceList(browser) {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-picture-"));
  let ago = 0;
  const latchkey = await createLatchkey({
    baseUrl: ORIGIN,
    databaseUrl: `sqlite:${join(folder, "latchkey.db")}`,
    outbox: join(folder, "outbox"),
    logLevel: "silent",
    now: () => Date.now() - ago,
  });
  const server = await listen(latchkey, { port: PORT, host: "127.0.0.1" });
  try {
    ago = 100 * HOUR;
    await ask("accounts", UA.firefoxWindows);
    ago = 3 * HOUR;
    await ask("session", UA.safariIphone);
    ago = 0;
    for (const [colorScheme, file] of Object.entries(FILES)) {
      const page = await openSecurityPage(browser, colorScheme);
      await page.screenshot({ path: join(ROOT, "docs", file) });
      await page.context().close();
    }
  } finally {
    await server.close();
    await latchkey.close();
    rmSync(folder, { recursive: true });
  }
}

async function ask(what, userAgent) {
  const headers = { "Content-Type": "application/json", Origin: ORIGIN, "User-Agent": userAgent };
  const { status } = await fetch(`${ORIGIN}/api/${what}`, {
    method: "POST",
    headers,
    body: JSON.stringify(PERSON),
  });
  if (status !== 201) throw new Error(`${what}: ${status}`);
}

async function openSecurityPage(browser, colorScheme) {
  const context = await browser.newContext({
    viewport: { width: 820, height: 600 },
    deviceScaleFactor: 1.5,
    colorScheme,
    userAgent: UA.chromeMac,
    locale: "en-GB",
  });
  const page = await context.newPage();
  await page.goto(`${ORIGIN}/login`);
  await page.getByLabel("Email").fill(PERSON.email);
  await page.getByLabel("Password").fill(PERSON.password);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
  await page.getByText("Safari on iOS").first().waitFor();
  // The row that was just added is no longer highlighted.
  await page.waitForTimeout(3_000);
  return page;
}
