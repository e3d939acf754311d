import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { browserFor, signUpInBrowser, violationsIn } from "../support/browsers/browser.ts";
import { freshEmail, PASSWORD } from "../support/requests/people.ts";
import { serverOn } from "../support/servers/sqlite-server.ts";

const folder = mkdtempSync(join(tmpdir(), "latchkey-brand-"));
afterAll(() => rmSync(folder, { recursive: true }));
const logo = join(folder, "acme.svg");
writeFileSync(
  logo,
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 32"><rect width="48" height="32" rx="16" fill="#d6006e"/></svg>',
);

describe.each(["#ffcc00", "#d6006e", "#000000", "#ffffff"])("A site whose accent is %s", (accent) => {
  const server = serverOn({
    name: "Acme Notes",
    logo,
    accent,
    termsUrl: "https://acme.example/terms",
    support: "help@acme.example",
  });
  const browser = browserFor();

  it.each(["light", "dark"] as const)(
    "is readable in %s, with its name, logo and links",
    async (colorScheme) => {
      const { page } = await browser.device({ colorScheme, viewport: { width: 360, height: 800 } });
      await page.goto(`${server().baseUrl}/login`);
      await expect.poll(() => page.title()).toBe("Log in · Acme Notes");
      const width = () => page.evaluate<number>("document.querySelector('.mark-logo').naturalWidth");
      await expect.poll(width).toBeGreaterThan(0);
      expect(await page.getByRole("link", { name: "Terms" }).getAttribute("href")).toBe(
        "https://acme.example/terms",
      );
      expect(await page.getByRole("link", { name: "Support" }).getAttribute("href")).toBe(
        "mailto:help@acme.example",
      );
      expect(await page.getByRole("link", { name: "Privacy" }).count()).toBe(0);
      await page.getByRole("link", { name: "Terms" }).focus();
      await page.keyboard.press("Tab");
      expect(await page.evaluate("getComputedStyle(document.activeElement).outline")).toMatch(/ solid 2px$/);
      expect(await violationsIn(page)).toEqual([]);
      await page.getByRole("button", { name: "Log in", exact: true }).hover();
      expect(await violationsIn(page)).toEqual([]);
      await signUpInBrowser(page, server().baseUrl, freshEmail(), PASSWORD);
      expect(await violationsIn(page)).toEqual([]);
    },
  );
});
