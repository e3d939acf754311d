import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { mount } from "../../src/adapters/next.ts";
import { createLatchkey, type Latchkey } from "../../src/index.ts";
import { engineOf, type TestDatabase } from "../support/databases/engines.ts";

vi.mock("next/headers.js", () => ({ headers: async () => new Headers() }));
vi.mock("next/navigation.js", () => ({ redirect: () => expect.fail("Nobody is to be sent anywhere.") }));
vi.mock("next/server.js", () => ({ connection: async () => {} }));

describe("In a Next.js app with a basePath, which Next.js removes before a route sees the path", () => {
  let database: TestDatabase;
  let latchkey: Latchkey;
  beforeAll(async () => {
    database = await engineOf("sqlite").createDatabase();
    latchkey = await createLatchkey({
      baseUrl: "http://localhost:3000/shop/north/auth",
      databaseUrl: database.url,
      logLevel: "silent",
    });
  });
  afterAll(async () => {
    await latchkey.close();
    await database.drop();
  });

  const get = (path: string) =>
    mount(async () => latchkey).GET(new Request(`http://localhost:3000${path}`, { redirect: "manual" }));

  test.each(["/auth", "/north/auth", "/shop/north/auth"])(
    "the pages, their files and the API are served below %s",
    async (folder) => {
      const page = await get(`${folder}/login`);
      expect(page.status).toBe(200);
      const [, script = ""] = /src="(\/shop\/north\/auth\/[^"]+)"/.exec(await page.text()) ?? [];
      expect((await get(script.replace("/shop/north/auth", folder))).status).toBe(200);
      expect((await get(`${folder}/api/session`)).status).toBe(401);
      expect((await get(folder)).headers.get("location")).toContain("/shop/north/auth/login");
    },
  );

  test.each(["/sign-in", "/north", "/shop", "/authors"])(
    "a file in app%s is still in the wrong place",
    async (folder) => {
      await expect(get(`${folder}/login`)).rejects.toThrow("app/shop/north/auth/[[...path]]/route.ts");
    },
  );
});
