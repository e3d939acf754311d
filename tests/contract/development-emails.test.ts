import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { linksIn } from "../support/mail/outbox.ts";
import type { Headers } from "../support/requests/exchange.ts";
import { expectStatus, resetToken, signUp } from "../support/requests/people.ts";
import { serverFor, type TestServer } from "../support/servers/server.ts";

const PAGE = { Accept: "text/html" };
const linksOn = (text: string) => [...text.matchAll(/href="(http[^"]+)"/g)].map(([, link]) => link ?? "");

/** The page of one email: the list links to it, with the newest email first. */
async function newest(server: TestServer): Promise<string> {
  const list = expectStatus(200, await server.client().get("/dev/emails", PAGE));
  const path = /href="[^"]*(\/dev\/emails\/[^"]+)"/.exec(list.text)?.[1] ?? "";
  return expectStatus(200, await server.client().get(path, PAGE)).text;
}

describeOnEachEngine("Emails in development", (engine) => {
  const server = serverFor(engine);
  const below = serverFor(engine, { basePath: "/auth" });

  test("are pages at /dev/emails, newest first, with complete links", async () => {
    for (const at of [server(), below()]) {
      const { email } = await signUp(at);
      await resetToken(at, email);
      const { text, headers } = await at.client().get("/dev/emails", PAGE);
      expect(headers["cache-control"]).toBe("no-store");
      expect(text).toMatch(/To \S+, \d+ \w+ \d{4}, \d\d:\d\d UTC/);
      expect(text.indexOf("Reset your password")).toBeGreaterThan(-1);
      expect(text.indexOf("Reset your password")).toBeLessThan(text.indexOf("Confirm your email address"));
      const mail = await at.outbox.withLink(email, "/reset-password");
      expect(await newest(at)).toContain(email);
      expect(linksOn(await newest(at))).toContain(linksIn(mail)[0]);
      expect(linksOn(text)).toContain(linksIn(mail)[0]);
    }
  });

  test("show their content as text, never as markup of the page", async () => {
    const { folder } = server().outbox;
    await mkdir(folder, { recursive: true });
    const words = "<img src=x> &amp; http://localhost/<b>";
    await writeFile(
      join(folder, "0-hostile.eml"),
      `Subject: ${words}\r\nTo: "<i>" <a@b.test>\r\n\r\n${words}`,
    );
    for (const path of ["/dev/emails", "/dev/emails/0-hostile.eml"]) {
      const { text } = expectStatus(200, await server().client().get(path, PAGE));
      expect(text).toContain("&#60;img src=x&#62; &#38;amp;");
      expect(text).not.toMatch(/<(img|i|b)\b/);
    }
  });

  test("a page that doesn't exist is 404, wherever its name would lead", async () => {
    for (const name of ["none.eml", "..%2F..%2Flatchkey.db", "%2Fetc%2Fpasswd", ".."])
      expect((await server().client().get(`/dev/emails/${name}`, PAGE)).status).toBe(404);
  });

  const elsewhere: [string, Headers][] = [
    ["a name that resolves to this machine", { Host: "rebound.example.test" }],
    ["a proxy that says whom it asks for", { "X-Forwarded-For": "203.0.113.7" }],
    ["a proxy that only names itself", { Via: "1.1 proxy" }],
  ];
  test.each(elsewhere)("are not shown through %s", async (_through, headers) => {
    expect(
      (
        await server()
          .client()
          .get("/dev/emails", { ...PAGE, ...headers })
      ).status,
    ).toBe(404);
  });

  test("aren't shown to another machine, nor if the underlying server doesn't tell who asks", async () => {
    const { latchkey, baseUrl } = server();
    const ask = async (remote?: string) => {
      const request = new Request(`${baseUrl}/dev/emails`, {
        headers: { ...PAGE, Host: new URL(baseUrl).host },
      });
      return (await latchkey.fetch(request, remote)).status;
    };
    expect(await Promise.all(["127.0.0.1", "::1", "::ffff:127.0.0.1"].map(ask))).toEqual([200, 200, 200]);
    expect(await Promise.all(["192.168.1.7", "2001:db8::1", "", undefined].map(ask))).toEqual([
      404, 404, 404, 404,
    ]);
  });

  describe("outside development", () => {
    const secure = serverFor(engine, { baseUrl: "https://localhost" });
    const named = serverFor(engine, { baseUrl: "http://app.example.test" });
    const mailed = serverFor(engine, { smtpUrl: "smtp://127.0.0.1:1" });

    test("there are no such pages: with https, at another host, or with a mail server", async () => {
      for (const at of [secure(), named(), mailed()]) {
        expect((await at.client().get("/dev/emails", PAGE)).status).toBe(404);
        expect((await at.client().get("/dev/emails", { Host: "localhost", ...PAGE })).status).toBe(404);
      }
    });
  });
});
