import { execFile } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, extname, join, relative } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { browserFor, violationsIn } from "../support/browsers/browser.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const BUILT = join(ROOT, ".site", "built");
const TYPES: Record<string, string> = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".png": "image/png",
  ".svg": "image/svg+xml",
};
const PAGES = [
  ...["index", "tutorial", "settings", "http-api", "browser-reference", "comparison"],
  ...["performance", "frameworks"],
];
const run = promisify(execFile);
const docs = (...words: string[]) => run(process.execPath, [join(ROOT, "scripts", "docs.mjs"), ...words]);

describe("The documentation as a site", () => {
  const browser = browserFor();
  // VitePress itself fails if a link leads to no page.
  beforeAll(async () => {
    await docs();
  });

  it("has every page of docs/ that is in the package, and the menu links to each", () => {
    const { files } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { files: string[] };
    const pages = readdirSync(join(ROOT, "docs"))
      .filter((name) => name.endsWith(".md") && !files.includes(`!docs/${name}`))
      .map((name) => name.replace(/\.md$/, ".html"));
    expect(pages.length).toBeGreaterThan(20);
    const links = linksOf(pageNamed("index.html")).map(({ page }) => page);
    expect(pages.filter((page) => !links.includes(page))).toEqual([]);
  });

  it("has every heading that one of its links points to", () => {
    const missing = builtPages().flatMap((name) =>
      linksOf(pageNamed(name), name)
        .filter(({ anchor }) => anchor !== "")
        .filter(({ page, anchor }) => !pageNamed(page).includes(` id="${anchor}"`))
        .map(({ page, anchor }) => `${name} leads to ${page}#${anchor}`),
    );
    expect(missing).toEqual([]);
  });

  it.each(["light", "dark"] as const)(
    "has no accessibility violations in %s, and is never wider than a phone",
    async (colorScheme) => {
      const site = await serveSite();
      try {
        const { page } = await browser.device({ colorScheme, viewport: { width: 360, height: 800 } });
        for (const name of PAGES) {
          await page.goto(`${site.origin}/${name}.html`);
          await page.getByRole("heading", { level: 1 }).waitFor();
          expect(await violationsIn(page), name).toEqual([]);
          expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name).toBe(true);
        }
      } finally {
        site.close();
      }
    },
  );

  it("loads nothing from elsewhere", () => {
    const loaded = builtPages().flatMap((name) =>
      [...pageNamed(name).matchAll(/<(?:script|link|img)\b[^>]*\b(?:src|href)="([^"]+)"/g)].map(
        ([, from = ""]) => from,
      ),
    );
    expect(loaded.length).toBeGreaterThan(20);
    expect(loaded.filter((from) => !from.startsWith("/") || from.startsWith("//"))).toEqual([]);
  });
});

it("The pages on the HTTP API, the command line, the client and the cards say what the code says now", async () => {
  expect((await docs("check")).stdout).toBe("");
});

/** Serves the built files on a port, as any web server would. */
async function serveSite(): Promise<{ origin: string; close(): void }> {
  const server = createServer(async ({ url = "/" }, answer) => {
    const file = join(BUILT, new URL(url, "http://localhost").pathname);
    const content = await readFile(file).catch(() => null);
    answer.writeHead(content === null ? 404 : 200, { "Content-Type": TYPES[extname(file)] ?? "text/plain" });
    answer.end(content);
  }).listen(0);
  await once(server, "listening");
  return {
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

type Link = { page: string; anchor: string };

function builtPages(): string[] {
  return readdirSync(BUILT, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".html"));
}

function pageNamed(name: string): string {
  return readFileSync(join(BUILT, name), "utf8");
}

/** Where a page links to within the site. */
function linksOf(html: string, name = "index.html"): Link[] {
  return [...html.matchAll(/<a\b[^>]*\bhref="([^"]+)"/g)]
    .map(([, href = ""]) => href.replaceAll("&amp;", "&"))
    .filter((href) => !/^\w+:/.test(href))
    .map((href) => {
      const [path = "", anchor = ""] = href.split("#");
      const page = path === "" ? name : path.startsWith("/") ? path.slice(1) : relativeTo(name, path);
      return { page: page === "" ? "index.html" : page, anchor: decodeURIComponent(anchor) };
    });
}

function relativeTo(name: string, path: string): string {
  return relative("/", join("/", dirname(name), path));
}
