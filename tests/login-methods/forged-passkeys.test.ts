import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import {
  addPasskey,
  creationOptions,
  passkeySignIn,
  signInOptions,
} from "../support/login-methods/passkeys.ts";
import { type Forgery, SoftwareAuthenticator } from "../support/login-methods/software-authenticator.ts";
import { need } from "../support/requests/answers.ts";
import { MINUTE } from "../support/requests/clock.ts";
import { expectRefusal, expectSignedIn } from "../support/requests/expectations.ts";
import { expectStatus, freshEmail, signUp, turnOnTwoFactor } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor } from "../support/servers/server.ts";

const forgeries: Record<string, Forgery> = {
  "a signature with one bit turned": { breakSignature: true },
  "another key's signature": { key: new SoftwareAuthenticator("http://localhost").key },
  "another origin": { origin: "https://login.example.com" },
  "the origin with another port": { origin: "http://localhost:1" },
  "another site's hash": { rpId: "login.example.com" },
  "an invented challenge": { challenge: randomBytes(32).toString("base64url") },
  "an empty challenge": { challenge: "" },
  "a malformed challenge": { challenge: "\u0000 not base64 ♥" },
  "the type of a registration": { type: "webauthn.create" },
  "nobody present": { userPresent: false },
  "user not present, but verified": { userPresent: false, userVerified: true },
  "a credential that nobody has": { id: randomBytes(20).toString("base64url") },
};

describeOnEachEngine("Forged passkeys", (engine) => {
  const server = serverFor(engine, { rateLimits: "off" });

  async function withPasskey() {
    const person = await signUp(server());
    return { person, authenticator: await addPasskey(server(), person.client) };
  }

  describe("signing in", () => {
    test("works with the real one, again and again, to the account that it belongs to", async () => {
      const { person, authenticator } = await withPasskey();
      for (const userAgent of [UA.firefoxWindows, UA.safariIphone]) {
        const client = server().client(userAgent);
        const answer = expectStatus(201, await passkeySignIn(client, authenticator));
        expect(need(answer, "account").id).toBe(person.account.id);
        expect(need(answer, "session").signedInWith).toBe("passkey");
        await expectSignedIn(client);
      }
    });

    test.each(Object.entries(forgeries))("is refused with %s", async (_what, forgery) => {
      const { authenticator } = await withPasskey();
      const client = server().client(UA.firefoxWindows);
      expectRefusal(await passkeySignIn(client, authenticator, forgery), 401, "wrong_passkey");
      expectRefusal(await client.get("/api/session"), 401, "signed_out");
    });

    test("is refused with another account's credential and one's own signature", async () => {
      const victim = await withPasskey();
      const thief = await withPasskey();
      const client = server().client(UA.firefoxWindows);
      const forgery = { id: victim.authenticator.id };
      expectRefusal(await passkeySignIn(client, thief.authenticator, forgery), 401, "wrong_passkey");
    });

    test("goes by the credential alone: a user handle that names another account signs in to the credential's own", async () => {
      const victim = await withPasskey();
      const thief = await withPasskey();
      const userHandle = Buffer.from(victim.person.account.id).toString("base64url");
      const client = server().client(UA.firefoxWindows);
      const answer = await passkeySignIn(client, thief.authenticator, { userHandle });
      expect(need(answer, "account").id).toBe(thief.person.account.id);
    });

    test("is refused where the counter stands or goes back, as a copied authenticator's would", async () => {
      const { authenticator } = await withPasskey();
      const client = server().client(UA.firefoxWindows);
      expectStatus(201, await passkeySignIn(client, authenticator, { counter: 7 }));
      for (const counter of [7, 6, 0]) {
        const copy = server().client(UA.firefoxLinux);
        expectRefusal(await passkeySignIn(copy, authenticator, { counter }), 401, "wrong_passkey");
      }
      expectStatus(201, await passkeySignIn(client, authenticator, { counter: 8 }));
    });

    test("takes a challenge once, for ten minutes, from the browser that asked for it", async () => {
      const { person, authenticator } = await withPasskey();
      const client = server().client(UA.firefoxWindows);
      const options = await signInOptions(client);
      const elsewhere = server().client(UA.firefoxLinux);
      await signInOptions(elsewhere);
      const path = "/api/session/passkey";
      for (const other of [elsewhere, server().client(UA.firefoxLinux)]) {
        expectRefusal(await other.post(path, { passkey: authenticator.get(options) }), 401, "wrong_passkey");
      }
      const passkey = authenticator.get(options);
      expectStatus(201, await client.post(path, { passkey }));
      expectRefusal(await client.post(path, { passkey }), 401, "wrong_passkey");
      expectRefusal(await client.post(path, { passkey: authenticator.get(options) }), 401, "wrong_passkey");

      const stale = await signInOptions(client);
      server().clock.advance(10 * MINUTE);
      expectRefusal(await client.post(path, { passkey: authenticator.get(stale) }), 401, "wrong_passkey");
      server().clock.advance(-10 * MINUTE);
      const making = await creationOptions(person.client);
      expectRefusal(
        await person.client.post(path, { passkey: authenticator.get(making) }),
        401,
        "wrong_passkey",
      );
    });

    test("uses up a challenge with a wrong answer, too", async () => {
      const { authenticator } = await withPasskey();
      const client = server().client(UA.firefoxWindows);
      const options = await signInOptions(client);
      for (const forgery of [{ breakSignature: true }, {}]) {
        const passkey = authenticator.get(options, forgery);
        expectRefusal(await client.post("/api/session/passkey", { passkey }), 401, "wrong_passkey");
      }
    });

    test("by an authenticator that only saw a touch asks for the second factor if it is on", async () => {
      const { person, authenticator } = await withPasskey();
      const touch = { userVerified: false };
      expectStatus(201, await passkeySignIn(server().client(UA.firefoxWindows), authenticator, touch));
      await turnOnTwoFactor(server(), person);
      const client = server().client(UA.firefoxLinux);
      const asked = await passkeySignIn(client, authenticator, touch);
      expect(asked.status, asked.text).toBe(202);
      expect(need(asked, "twoFactor").methods).toEqual(["totp", "recovery_code"]);
      expectRefusal(await client.get("/api/session"), 401, "signed_out");
      expectStatus(201, await passkeySignIn(client, authenticator));
    });
  });

  test("the options for signing in say the same for every address, whatever it has, and for none", async () => {
    const { person } = await withPasskey();
    const bare = await signUp(server());
    const ask = async (email?: string) => {
      const { challenge, ...rest } = await signInOptions(server().client(), email);
      expect(challenge).toMatch(/^[\w-]{43}$/);
      return rest;
    };
    const forNobody = await ask();
    expect(forNobody).not.toMatchObject({ allowCredentials: [{}] });
    for (const email of [person.email, bare.email, freshEmail(), "no address at all"])
      expect(await ask(email)).toEqual(forNobody);
  });
});
