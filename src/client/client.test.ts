import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createClient, Unreachable } from "./index.ts";

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
    reply.writeHead(status, { "Content-Type": "text/html" }).end("<!doctype html><title>The app</title>");
  });
  let origin = "";
  beforeAll(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  test.each([200, 404])(
    "a page with status %i is no answer, and the error asks for the base path",
    async (status) => {
      const original = globalThis.fetch;
      globalThis.fetch = (url, options) => original(`${origin}${url}`, options);
      try {
        const error = await createClient({ basePath: `/${status}` })
          .session()
          .catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(Unreachable);
        expect(error).toMatchObject({
          status,
          message: `Answer ${status}, which isn't Latchkey's. Is it at this base path?`,
        });
      } finally {
        globalThis.fetch = original;
      }
    },
  );
});
