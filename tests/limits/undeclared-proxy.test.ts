import { expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { addPasskey, signInOptions } from "../support/login-methods/passkeys.ts";
import type { Client } from "../support/requests/client.ts";
import { expectRefusal, expectTooMany } from "../support/requests/expectations.ts";
import { expectStatus, freshEmail, PASSWORD, signUp, trySignIn } from "../support/requests/people.ts";
import { countUpTo } from "../support/servers/count-up-to.ts";
import { serverFor, type TestServer } from "../support/servers/server.ts";

/** What one network may do in a while, and what one that may stand for many may do. */
const MOST = 100;
const GENEROUS = 10 * MOST;

const from = (address: string) => ({ "X-Forwarded-For": address });

const askForReset = (client: Client, forwardedFor: string, email = freshEmail()) =>
  client.post("/api/password-resets", { email }, from(forwardedFor));

describeOnEachEngine("Visitors behind a proxy that isn't declared", (engine) => {
  const server = serverFor(engine);

  test("share limits ten times as high, whatever addresses the header names", async () => {
    const stranger = server().client();
    const [person, other] = [await signUp(server()), await signUp(server())];
    for (const address of ["203.0.113.1", "203.0.113.2, 10.0.0.9", "", "unknown"])
      expect((await askForReset(stranger, address)).status).toBe(202);
    await countUpTo(GENEROUS - 1, server(), "email_network");
    expect((await askForReset(stranger, "203.0.113.3")).status).toBe(202);
    expectTooMany(await askForReset(stranger, "203.0.113.4"));
    expectTooMany(await askForReset(server().client(), "203.0.113.5", person.email));
    expectTooMany(await askForReset(other.client, "203.0.113.5", person.email));

    expect((await askForReset(person.client, "203.0.113.6", person.email)).status, "known").toBe(202);
    const direct = await stranger.post("/api/password-resets", { email: freshEmail() });
    expect(direct.status, "a client who sends no such header has a limit of their own").toBe(202);

    const ofOneself = [
      (client: Client) => client.post("/api/account/email/verification", {}, from("203.0.113.6")),
      (client: Client) =>
        client.put(
          "/api/account/email",
          { email: freshEmail(), currentPassword: PASSWORD },
          from("203.0.113.6"),
        ),
    ];
    for (const ask of ofOneself) expectStatus(202, await ask(person.client));
    other.client.token = person.client.token;
    for (const ask of ofOneself) expectStatus(429, await ask(other.client));
  });

  test("pass them in a browser that the account knows", async () => {
    const person = await signUp(server());
    const stranger = server().client();
    const { email, password } = person;
    const signIn = (client: Client) => client.post("/api/session", { email, password }, from("203.0.113.7"));
    await stranger.post("/api/session", { email: freshEmail(), password }, from("203.0.113.8"));
    await countUpTo(GENEROUS, server(), "password_network");
    expectTooMany(await signIn(stranger));
    expectStatus(201, await signIn(person.client));
    expect((await trySignIn(stranger, person)).status, "a client without such a proxy").toBe(201);
  });
});

describeOnEachEngine("Passkeys behind a proxy that isn't declared", (engine) => {
  const server = serverFor(engine);

  test("pass its limit in a browser that their own account knows", async () => {
    const [person, other] = [await signUp(server()), await signUp(server())];
    const authenticator = await addPasskey(server(), person.client);
    const send = (client: Client, passkey: unknown) =>
      client.post("/api/session/passkey", { passkey }, from("203.0.113.7"));
    const sign = async (client: Client) => send(client, authenticator.get(await signInOptions(client)));
    for (const shapeless of ["", "AAAA", null, {}, { id: {} }])
      expectRefusal(await send(person.client, shapeless), 401, "wrong_passkey");
    await countUpTo(GENEROUS, server(), "password_network");
    for (const client of [server().client(), other.client]) expectTooMany(await sign(client));
    expectStatus(201, await sign(person.client));
  });
});

describeOnEachEngine("A header that names no client", (engine) => {
  const server = serverFor(engine, { trustedProxies: "127.0.0.1" });

  test("makes a declared proxy count as itself: no header switches a limit off", async () => {
    const client = server().client();
    for (const nobody of ["", "unknown", "203.0.113.7, x", "127.0.0.1", ",,"])
      expect((await askForReset(client, nobody)).status).toBe(202);
    await countUpTo(GENEROUS, server(), "email_network");
    expectTooMany(await askForReset(client, "unknown"));
    expect((await askForReset(client, "203.0.113.7")).status).toBe(202);
  });
});

describeOnEachEngine("A client that a declared proxy names", (engine) => {
  const server = serverFor(engine, { trustedProxies: "127.0.0.1" });

  test("is held to the limit of its network, even in a browser that the account knows", async () => {
    const { client, email } = await signUp(server());
    expect((await askForReset(client, "203.0.113.7", email)).status).toBe(202);
    await countUpTo(MOST, server(), "email_network");
    expectTooMany(await askForReset(client, "203.0.113.7", email));
    expect((await askForReset(client, "203.0.113.8", email)).status).toBe(202);
  });
});

function askInCode({ latchkey, baseUrl }: TestServer, forwardedFor: string) {
  return latchkey.fetch(
    new Request(`${baseUrl}/api/password-resets`, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...from(forwardedFor) },
      body: JSON.stringify({ email: freshEmail() }),
    }),
  );
}

describeOnEachEngine("In a server that never says where requests come from", (engine) => {
  const undeclared = serverFor(engine);
  const declared = serverFor(engine, { trustedProxies: "10.0.0.0/8" });

  test("all visitors count as one if no proxy is declared", async () => {
    for (const address of ["203.0.113.1", "203.0.113.2", ""])
      expect((await askInCode(undeclared(), address)).status).toBe(202);
    await countUpTo(GENEROUS, undeclared(), "email_network");
    expect((await askInCode(undeclared(), "203.0.113.7")).status).toBe(429);
  });

  test("each client counts as the declared proxies say", async () => {
    for (const address of ["1.1.1.1, 203.0.113.7, 10.0.0.9", "203.0.113.7"])
      expect((await askInCode(declared(), address)).status).toBe(202);
    await countUpTo(MOST, declared(), "email_network");
    expect((await askInCode(declared(), "1.1.1.2, 203.0.113.7, 10.0.0.9")).status).toBe(429);
    expect((await askInCode(declared(), "203.0.113.8, 10.0.0.9")).status).toBe(202);
  });
});
