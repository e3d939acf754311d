import { afterEach, describe, expect, test } from "vitest";
import { listen } from "../../src/http/listen.ts";
import { createLatchkey } from "../../src/index.ts";
import { describeOnEachEngine, engineOf } from "../support/databases/engines.ts";
import { linksIn, Outbox } from "../support/mail/outbox.ts";
import { exchange, exchangeBytes, type Headers } from "../support/requests/exchange.ts";
import { expectRefusal } from "../support/requests/expectations.ts";
import { expectStatus, freshEmail, PASSWORD, signUp, verifyEmail } from "../support/requests/people.ts";
import { freePort } from "../support/servers/free-port.ts";
import { serverFor, startServer, type TestServer } from "../support/servers/server.ts";

const EVIL = "evil.example";
const RESETS = "/api/password-resets";

/** What a stranger can claim about where a server is. */
const FORGED: Record<string, Headers> = {
  Host: { Host: EVIL },
  "Host with a port": { Host: `${EVIL}:8080` },
  "X-Forwarded-Host": { "X-Forwarded-Host": EVIL },
  Forwarded: { Forwarded: `host=${EVIL};proto=http;for=192.0.2.1` },
  "X-Forwarded-Proto, -Port and -Prefix": {
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Port": "6666",
    "X-Forwarded-Prefix": `//${EVIL}`,
  },
  "X-Original-Host, X-Host and X-Forwarded-Server": {
    "X-Original-Host": EVIL,
    "X-Host": EVIL,
    "X-Forwarded-Server": EVIL,
  },
  "X-Original-URL and X-Rewrite-URL": {
    "X-Original-URL": `https://${EVIL}/`,
    "X-Rewrite-URL": `https://${EVIL}/`,
  },
  "Origin and Referer of the site, Host of another": { Host: EVIL, Referer: `https://${EVIL}/` },
};

describeOnEachEngine("The links of emails", (engine) => {
  let server: TestServer;
  afterEach(() => server.close());

  async function linkAfter(email: string, ask: () => Promise<unknown>): Promise<string> {
    const before = (await server.outbox.to(email)).length;
    await ask();
    const mails = await server.outbox.waitFor(email, before + 1);
    return linksIn(mails.at(-1) as (typeof mails)[number]).join(" ");
  }

  /** The one place where a link may lead. */
  const expectOwn = (links: string) =>
    expect(links).toMatch(
      new RegExp(`^${server.baseUrl.replaceAll(".", "\\.")}/reset-password#token=[\\w-]{43}$`),
    );

  test.each(["http://localhost:4321/auth", "https://login.example.test"])(
    "lead below BASE_URL %s, whatever a request says about its host, the first one or a later one",
    async (baseUrl) => {
      server = await startServer({ engine, baseUrl, rateLimits: "off", trustedProxies: "127.0.0.1" });
      const origin = new URL(baseUrl).origin;
      const path = new URL(baseUrl).pathname.replace(/\/$/, "");
      // The very first request of this process names another host.
      await exchange({ port: server.port, method: "GET", path: `${path}/login`, headers: { Host: EVIL } });
      const { email } = await signUp(server);
      for (const [name, forged] of Object.entries(FORGED)) {
        const headers = { Origin: origin, ...forged };
        const links = await linkAfter(email, async () =>
          expectStatus(202, await server.client().post(RESETS, { email }, headers)),
        );
        expect(links, name).not.toContain("evil");
        expectOwn(links);
      }
      const body = JSON.stringify({ email });
      const rest = `Origin: ${origin}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
      const absolute = `POST http://${EVIL}${path}${RESETS} HTTP/1.1\r\nHost: ${new URL(baseUrl).host}\r\n${rest}`;
      const both = `POST ${path}${RESETS} HTTP/1.1\r\nHost: ${new URL(baseUrl).host}\r\nHost: ${EVIL}\r\n${rest}`;
      expectOwn(await linkAfter(email, () => exchangeBytes(server.port, absolute)));
      const sent = (await server.outbox.to(email)).length;
      expect(await exchangeBytes(server.port, both)).toMatch(/^HTTP\/1\.1 400 /);
      await server.latchkey.parts.settled();
      await server.latchkey.parts.mailer.settled();
      expect(await server.outbox.to(email)).toHaveLength(sent);
      expectOwn(
        await linkAfter(email, async () => expectStatus(202, await server.client().post(RESETS, { email }))),
      );
    },
  );
});

describe("Without a BASE_URL", () => {
  test("links lead to this machine, never to the host that a request names", async () => {
    const database = await engineOf("sqlite").createDatabase();
    const port = await freePort();
    const outbox = `${database.folder}/outbox`;
    const latchkey = await createLatchkey({ databaseUrl: database.url, port, outbox, logLevel: "silent" });
    const listening = await listen(latchkey, { port, host: "127.0.0.1" });
    const mails = new Outbox(outbox, async () => {
      await latchkey.parts.settled();
      await latchkey.parts.mailer.settled();
    });
    const email = freshEmail();
    for (const headers of [{ Host: EVIL }, { Host: EVIL, "X-Forwarded-Host": EVIL }])
      await exchange({
        port,
        method: "POST",
        path: "/api/accounts",
        headers: {
          ...headers,
          Origin: `http://localhost:${port}`,
          "Content-Type": "application/json",
        },
        body: JSON.stringify({ email, password: PASSWORD }),
      });
    const links = (await mails.to(email)).flatMap(linksIn);
    expect(links.length).toBeGreaterThan(0);
    for (const link of links) expect(new URL(link).origin).toBe(`http://localhost:${port}`);
    await listening.close();
    await latchkey.close();
    await database.drop();
  });
});

describeOnEachEngine("The recipient of a reset email", (engine) => {
  const server = serverFor(engine, { rateLimits: "off" });

  test("is the address of the account as it is stored, and nobody who is named beside it", async () => {
    const victim = await signUp(server());
    await verifyEmail(server(), victim);
    const mallory = freshEmail("mallory");
    const { email } = victim;
    const before = (await server().outbox.all()).length;
    const asked: unknown[] = [
      [email, mallory],
      { 0: email, 1: mallory },
      { address: email },
      `${email},${mallory}`,
      `${email}, ${mallory}`,
      `${email};${mallory}`,
      `${email} ${mallory}`,
      `${email}\r\nBcc: ${mallory}`,
      `${email}\u0000${mallory}`,
      `<${mallory}>${email}`,
      `"${email} x"@example.test`,
      `"${mallory}"<${email}>`,
    ];
    for (const given of asked) {
      const answer = await server().client().post(RESETS, { email: given });
      if (typeof given === "string") expectStatus(202, answer);
      else expectRefusal(answer, 422, "invalid_input");
    }
    const twice = `{"email":"${email}","email":"${mallory}"}`;
    expectStatus(
      202,
      await server()
        .client()
        .send("POST", RESETS, twice === "" ? {} : { body: twice }),
    );
    const since = (await server().outbox.all()).slice(before);
    expect(since.filter(({ to }) => to.join() !== email)).toEqual([]);
  });

  test("nor does a sign-up, or a change of address, reach a second address", async () => {
    const person = await signUp(server());
    const mallory = freshEmail("mallory");
    const before = (await server().outbox.all()).length;
    for (const given of [
      `${freshEmail()},${mallory}`,
      `"${mallory} x"@example.test`,
      `a\r\nBcc:${mallory}`,
      [mallory],
    ]) {
      const signedUp = await server().client().post("/api/accounts", { email: given, password: PASSWORD });
      expect(signedUp.status).toBe(422);
      const body = { email: given, currentPassword: PASSWORD };
      expect((await person.client.put("/api/account/email", body)).status).toBe(422);
    }
    expect((await server().outbox.all()).length).toBe(before);
  });
});
