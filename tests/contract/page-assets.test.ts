import { expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { serverFor } from "../support/servers/server.ts";

describeOnEachEngine("What a page is made of", (engine) => {
  const server = serverFor(engine, { basePath: "/auth" });

  /** The files that a page names in its HTML, as addresses. */
  async function filesOf(path: string): Promise<string[]> {
    const page = await fetch(server().baseUrl + path);
    const named = [...(await page.text()).matchAll(/(?:src|href)="([^"]+\/assets\/[^"]+)"/g)];
    return named.map(([, file = ""]) => new URL(file, page.url).href);
  }

  test("is named in its HTML, the code of that page alone, so that nothing is found out about late", async () => {
    const files = await Promise.all(["/login", "/sign-up", "/reset-password"].map(filesOf));
    for (const [at, own] of ["login", "sign-up", "emailed-links"].entries()) {
      const names = (files[at] ?? []).map((file) => /\/assets\/(.+)-[\w-]{8}\.\w+$/.exec(file)?.[1]);
      expect(names).toContain(own);
      expect(names).not.toContain("security");
    }
  });

  test("comes compressed as the browser takes it, with the same bytes, and is kept for ever", async () => {
    const files = await filesOf("/login");
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) {
      const answers = await Promise.all(
        ["br, gzip", "gzip", "identity"].map((accepted) =>
          fetch(file, { headers: { "Accept-Encoding": accepted } }),
        ),
      );
      expect(answers.map(({ headers }) => headers.get("content-encoding"))).toEqual(["br", "gzip", null]);
      for (const { headers } of answers)
        expect(headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
      const texts = await Promise.all(answers.map((answer) => answer.text()));
      expect(new Set(texts).size).toBe(1);
    }
  });
  test.each([
    ["br;q=0", null],
    ["br;q=0.000, gzip", "gzip"],
    ["br ; q=0 , gzip;q=0", null],
    ["gzip;q=1.0, br;q=0.5", "br"],
    ["GZIP", "gzip"],
  ])("is compressed in no way that a client refuses: Accept-Encoding: %s", async (accepted, expected) => {
    const [file = ""] = await filesOf("/login");
    const { headers } = await fetch(file, { headers: { "Accept-Encoding": accepted } });
    expect(headers.get("content-encoding")).toBe(expected);
  });
});
