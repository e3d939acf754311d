import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readSettings } from "../../src/options/options.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { addPasskey } from "../support/login-methods/passkeys.ts";
import { SoftwareAuthenticator } from "../support/login-methods/software-authenticator.ts";
import { need } from "../support/requests/answers.ts";
import type { Client } from "../support/requests/client.ts";
import { expectNoContent, expectRefusal } from "../support/requests/expectations.ts";
import { signUp, verifyEmail } from "../support/requests/people.ts";
import { freePort } from "../support/servers/free-port.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";

/** What the dashboard's page gets to know. */
async function configOf(client: Client): Promise<Record<string, unknown>> {
  const { text } = await client.get("/login", { Accept: "text/html" });
  const content = /<meta name="latchkey" content="([^"]*)"/.exec(text)?.[1] ?? "";
  return JSON.parse(content.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code))));
}

describeOnEachEngine("If BASE_URL's host is an IP address", (engine) => {
  let named: TestServer;
  let server: TestServer;
  beforeAll(async () => {
    named = await startServer({ engine });
    const { database, secretKey } = named;
    const baseUrl = `http://127.0.0.1:${await freePort()}`;
    server = await startServer({ engine, database, secretKey, baseUrl });
  });
  afterAll(async () => {
    await server.close();
    await named.close();
  });

  test("no page offers a passkey", async () => {
    expect((await configOf(server.client())).passkeys).toBe(false);
    expect((await configOf(named.client())).passkeys).toBe(true);
  });

  test("the passkey routes don't exist, signed in or not", async () => {
    const person = await signUp(server);
    for (const client of [person.client, server.client()]) {
      for (const path of [
        "/api/session/passkey/options",
        "/api/session/passkey",
        "/api/passkeys/options",
        "/api/passkeys",
      ]) {
        const answer = await client.post(path, { passkey: {}, email: person.email });
        expectRefusal(answer, 404, "not_found");
        expect(answer.body.detail).toContain("host name");
      }
    }
    const passkey = new SoftwareAuthenticator(server.baseUrl).create({ challenge: "x" });
    const email = "somebody@example.test";
    expectRefusal(await server.client().post("/api/accounts", { email, passkey }), 422, "wrong_passkey");
  });

  test("a passkey for an earlier host name doesn't count as a method that works", async () => {
    const person = await signUp(named);
    await addPasskey(named, person.client);
    await verifyEmail(named, person);
    const here = server.client();
    here.token = person.client.token;
    expectRefusal(await here.delete("/api/account/login-methods/password"), 409, "last_login_method");
    const methods = need(await here.get("/api/account/login-methods"), "methods");
    expect(methods.map(({ kind }) => kind)).toEqual(["password", "passkey"]);
    expectNoContent(await person.client.delete("/api/account/login-methods/password"));
  });
});

describe("An address in any spelling", () => {
  test.each([
    "http://127.1:3000",
    "http://[::1]:3000",
    "https://192.0.2.7",
    "http://0x7f000001",
    "http://[2001:db8::1]/auth",
  ])("isn't a host name: %s", (baseUrl) => {
    expect(readSettings({ baseUrl }).baseUrl.hasName).toBe(false);
  });

  test.each([
    "http://localhost:3000",
    "https://app.example.com/auth",
    "https://1.2.3.4.example.com",
    "https://intranet",
  ])("a host name is one: %s", (baseUrl) => {
    expect(readSettings({ baseUrl }).baseUrl.hasName).toBe(true);
  });
});
