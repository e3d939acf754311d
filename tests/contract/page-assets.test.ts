import { expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { serverFor } from "../support/servers/server.ts";

describeOnEachEngine("The code and styles of a page", (engine) => {
  const server = serverFor(engine, { basePath: "/auth" });

  /** The URLs of the files that a page names in its HTML. */
  async function filesOf(path: string): Promise<string[]> {
    const page = await fetch(server().baseUrl + path);
    const named = [...(await page.text()).matchAll(/(?:src|href)="([^"]+\/assets\/[^"]+)"/g)];
    return named.map(([, file = ""]) => new URL(file, page.url).href);
  }

  test("are named in its HTML, just the code of that page, so that nothing is discovered late", async () => {
    const files = await Promise.all(["/login", "/sign-up", "/reset-password"].map(filesOf));
    for (const [at, own] of ["login", "sign-up", "emailed-links"].entries()) {
      const names = (files[at] ?? []).map((file) => /\/assets\/(.+)-[\w-]{8}\.\w+$/.exec(file)?.[1]);
      expect(names).toContain(own);
      expect(names).not.toContain("security");
    }
  });

  test("come compressed as the browser accepts it, with the same content, and are cached for ever", async () => {
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
  ])(
    "are never compressed in a way that the client refuses: Accept-Encoding: %s",
    async (accepted, expected) => {
      const [file = ""] = await filesOf("/login");
      const { headers } = await fetch(file, { headers: { "Accept-Encoding": accepted } });
      expect(headers.get("content-encoding")).toBe(expected);
    },
  );
});
