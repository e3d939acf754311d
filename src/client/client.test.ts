import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createClient, Unreachable } from "./index.ts";
import { nextTry } from "./next-try.ts";

describe("The client's base path", () => {
  test.each([
    [undefined, ""],
    ["", ""],
    ["/", ""],
    ["/auth", "/auth"],
    ["/auth/", "/auth"],
    ["/my/auth//", "/my/auth"],
  ])("%j is read as %j", (given, read) => {
    expect(createClient(given === undefined ? {} : { basePath: given }).basePath).toBe(read);
  });

  test.each(["auth", "http://localhost:3000/auth", "//auth", "//example.com/auth", "/auth?x=1", "/auth#x"])(
    "%j is refused with one that works, since its calls would go elsewhere",
    (basePath) => {
      expect(() => createClient({ basePath })).toThrow(
        `basePath takes a path of the page's own origin, such as "/auth" (got "${basePath}").`,
      );
    },
  );
});

describe("Where something other than Latchkey answers", () => {
  const server = createServer((request, reply) => {
    const status = Number(request.url?.split("/")[1]);
    if (!Number.isNaN(status)) {
      const headers = { "Content-Type": "text/html", ...(status === 503 && { "Retry-After": "2" }) };
      reply.writeHead(status, headers).end("<!doctype html><title>The app</title>");
      return;
    }
    reply.writeHead(200, { "Content-Length": 100 }).write('{"sessions": [');
    setImmediate(() => reply.destroy());
  });
  let origin = "";
  beforeAll(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  /** What the client makes of this answer below a base path. */
  async function failureOf(basePath: string): Promise<unknown> {
    const original = globalThis.fetch;
    globalThis.fetch = (url, options) => original(`${origin}${url}`, options);
    try {
      return await createClient({ basePath })
        .session()
        .catch((reason: unknown) => reason);
    } finally {
      globalThis.fetch = original;
    }
  }

  test.each([200, 404])(
    "a page with status %i is no answer, and the error asks for the base path",
    async (status) => {
      const error = await failureOf(`/${status}`);
      expect(error).toBeInstanceOf(Unreachable);
      const message = `Answer ${status}, which isn't Latchkey's. Is it at this base path?`;
      expect(error).toMatchObject({ status, message });
    },
  );

  test("a proxy's error page is no answer", async () => {
    expect(await failureOf("/502")).toMatchObject({
      name: "Unreachable",
      status: 502,
      message: "Answer 502",
    });
  });

  test("a server that can't answer says when to ask again, and no try comes sooner", async () => {
    expect(nextTry(1, await failureOf("/503"))).toBe(2_000);
    expect(nextTry(1, await failureOf("/502"))).toBe(1_000);
  });

  test("an answer that breaks off is none", async () => {
    expect(await failureOf("/cut")).toMatchObject({
      name: "Unreachable",
      status: null,
      message: "No answer",
    });
  });
});
