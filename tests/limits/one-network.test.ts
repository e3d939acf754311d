import { expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { addPasskey, signInOptions } from "../support/login-methods/passkeys.ts";
import type { Forgery } from "../support/login-methods/software-authenticator.ts";
import { header } from "../support/requests/answers.ts";
import type { Client } from "../support/requests/client.ts";
import { MINUTE } from "../support/requests/clock.ts";
import { expectRefusal, expectTooMany } from "../support/requests/expectations.ts";
import {
  expectStatus,
  freshEmail,
  signIn,
  signUp,
  trySignIn,
  WRONG_PASSWORD,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { countAllUpTo } from "../support/servers/count-up-to.ts";
import { serverFor } from "../support/servers/server.ts";

const MOST = 100;
const OF_AN_ADDRESS = 10;

describeOnEachEngine("One network that tries a password at many addresses", (engine) => {
  const server = serverFor(engine, { trustedProxies: "127.0.0.1" });

  /** A sign-in through the declared proxy, from this address. */
  const signInFrom = (
    address: string,
    { email, password }: { email: string; password: string },
    client: Client = server().client(),
  ) => client.post("/api/session", { email, password }, { "X-Forwarded-For": address });

  const wrongFrom = (address: string, email = freshEmail()) =>
    signInFrom(address, { email, password: WRONG_PASSWORD });

  const countUpTo = (count: number, kind: string) => countAllUpTo(count, server(), kind);

  test("has 100 wrong tries in 15 minutes, even if no address had two of them; other networks go on", async () => {
    const person = await signUp(server());
    const guess = (email?: string) => wrongFrom("203.0.113.7", email);
    for (let tries = 0; tries < MOST; tries++) expect((await guess()).status).toBe(401);
    expectTooMany(await guess());
    expectTooMany(await guess(person.email));

    const elsewhere = server().client(UA.firefoxWindows);
    expect((await signInFrom("203.0.113.8", person, elsewhere)).status).toBe(201);
    expect((await trySignIn(person.client, person)).status).toBe(201);

    server().clock.advance(16 * MINUTE);
    expect((await guess()).status).toBe(401);
    await signIn(server(), person, UA.safariMac);
  });

  test("gets its tries back for right ones, and is held to its limit in a browser that the account knows, too", async () => {
    const office = "203.0.113.9";
    const person = await signUp(server());
    expectRefusal(await wrongFrom(office), 401, "wrong_credentials");
    await countUpTo(MOST - 2, "password_network");
    for (const client of [server().client(UA.safariMac), person.client, server().client(UA.safariIphone)])
      expectStatus(201, await signInFrom(office, person, client));
    for (let left = 0; left < 2; left++) expectRefusal(await wrongFrom(office), 401, "wrong_credentials");
    expectTooMany(await signInFrom(office, person, person.client));
    expectStatus(201, await signInFrom("203.0.113.10", person, person.client));
  });

  test("has as many tries with passkeys as with passwords, and gets them back for right ones in the same way", async () => {
    const office = "203.0.113.14";
    const person = await signUp(server());
    const authenticator = await addPasskey(server(), person.client);
    const sign = async (client: Client, forgery: Forgery = {}) => {
      const passkey = authenticator.get(await signInOptions(client), forgery);
      return client.post("/api/session/passkey", { passkey }, { "X-Forwarded-For": office });
    };
    const wrong = () => sign(server().client(), { breakSignature: true });
    expectRefusal(await wrong(), 401, "wrong_passkey");
    await countUpTo(MOST - 1, "password_network");
    for (const client of [person.client, server().client(UA.safariMac)])
      expectStatus(201, await sign(client));
    expectRefusal(await wrong(), 401, "wrong_passkey");
    expectTooMany(await wrong());
    expectTooMany(await sign(person.client));
    expectTooMany(await wrongFrom(office));
  });

  test.each([
    ["address", "203.0.113.11"],
    ["network", "203.0.113.12"],
  ])(
    "waits for the longer of two limits if that of the %s ends first, and is told so the first time and again",
    async (first, network) => {
      const email = freshEmail();
      const countOfAddress = () => wrongFrom("203.0.113.13", email);
      const countOfNetwork = () => wrongFrom(network);
      const counts = [countOfAddress, countOfNetwork];
      for (const count of first === "address" ? counts : counts.toReversed()) {
        server().clock.advance(10 * MINUTE);
        expectRefusal(await count(), 401, "wrong_credentials");
      }
      await countUpTo(MOST, "password_network");
      await countUpTo(OF_AN_ADDRESS, "password");
      for (let times = 0; times < 2; times++) {
        const refused = await wrongFrom(network, email);
        expectTooMany(refused);
        expect(Number(header(refused, "retry-after"))).toBeGreaterThan(10 * 60);
      }
    },
  );
});
