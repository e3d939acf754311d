import { describe, expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { addPasskey } from "../support/login-methods/passkeys.ts";
import { codeAt } from "../support/login-methods/totp.ts";
import { type Answer, need } from "../support/requests/answers.ts";
import type { Client } from "../support/requests/client.ts";
import {
  expectNoContent,
  expectRefusal,
  expectRefusalAfterProof,
  expectSignedIn,
} from "../support/requests/expectations.ts";
import {
  activityOf,
  expectStatus,
  freshEmail,
  OTHER_PASSWORD,
  PASSWORD,
  type Person,
  signIn,
  signInWithCode,
  signUp,
  signUpConfirmed,
  trySignIn,
  turnOnTwoFactor,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { rightAfter } from "../support/servers/meanwhile.ts";
import { serverFor } from "../support/servers/server.ts";

const METHODS = "/api/account/login-methods";
const PROOF = "/api/session/proof";
const TWO_FACTOR = "/api/account/two-factor";

const currentPassword = PASSWORD;

describeOnEachEngine("A request that another one overtakes", (engine) => {
  const server = serverFor(engine, { rateLimits: "off" });

  /** Changes the credentials, and ends no session. */
  async function disconnectPasskey(client: Client): Promise<void> {
    const methods = need(await client.get(METHODS), "methods");
    const passkey = methods.find(({ kind }) => kind === "passkey");
    expectNoContent(await client.delete(`${METHODS}/${passkey?.id}`));
  }

  async function personWithPasskey(): Promise<Person> {
    const person = await signUpConfirmed(server());
    await addPasskey(server(), person.client);
    return person;
  }

  describe("that has changed the credentials since the proof was checked makes it refused:", () => {
    test.each(["on", "off"])("by 2FA that was turned %s", async (way) => {
      const person = await signUp(server());
      const other = await signIn(server(), person, UA.firefoxWindows);
      const others = { ...person, client: other.client };
      const turnedOn = way === "off" ? await turnOnTwoFactor(server(), others) : null;
      rightAfter(server().latchkey.parts.passwords, "hash", async () => {
        if (turnedOn === null) return turnOnTwoFactor(server(), others);
        const off = { currentPassword, recoveryCode: turnedOn.recoveryCodes[0] };
        expectNoContent(await other.client.delete(TWO_FACTOR, off));
      });
      const change = { currentPassword, newPassword: OTHER_PASSWORD };
      const refused = await person.client.put("/api/account/password", change);
      expectRefusalAfterProof(refused, 403, "wrong_password");
      expect((await activityOf(other.client))[0]?.kind).toBe(`two_factor_${way}`);
    });

    test("as a wrong password, if it gave the right one", async () => {
      const person = await personWithPasskey();
      const other = await signIn(server(), person, UA.firefoxWindows);
      rightAfter(server().latchkey.parts.passwords, "hash", () => disconnectPasskey(other.client));
      const change = { currentPassword, newPassword: OTHER_PASSWORD };
      const refused = await person.client.put("/api/account/password", change);
      expectRefusalAfterProof(refused, 403, "wrong_password");
      expectStatus(201, await trySignIn(server().client(), person));
    });

    test("as one that needs a proof, if it gave none", async () => {
      const person = await personWithPasskey();
      const other = await signIn(server(), person, UA.firefoxWindows);
      const begun = expectStatus(201, await person.client.post(TWO_FACTOR, { currentPassword }));
      rightAfter(server().latchkey.parts.passwords, "digest", () => disconnectPasskey(other.client));
      const code = codeAt(need(begun, "secret"), server().clock.now());
      const refused = await person.client.put(TWO_FACTOR, { code });
      expectRefusal(refused, 403, "proof_needed");
      expect(refused.body.methods).toEqual(["password"]);
      expectStatus(201, await trySignIn(server().client(), person));
    });

    test("with its recovery code left as it was", async () => {
      const person = await personWithPasskey();
      const { secret, recoveryCodes } = await turnOnTwoFactor(server(), person);
      const other = await signInWithCode(server(), person, secret, UA.firefoxWindows);
      rightAfter(server().latchkey.parts.passwords, "digest", () => disconnectPasskey(other.client));
      const off = { currentPassword, recoveryCode: recoveryCodes[0] };
      expectRefusalAfterProof(await person.client.delete(TWO_FACTOR, off), 403, "wrong_password");
      const kinds = (await activityOf(other.client)).map(({ kind }) => kind);
      expect(kinds).not.toContain("recovery_code_used");
      expectNoContent(await person.client.delete(TWO_FACTOR, off));
    });
  });

  test("is refused if its session was ended while its password was checked", async () => {
    const person = await signUp(server());
    const other = await signIn(server(), person, UA.firefoxWindows);
    rightAfter(server().latchkey.parts.passwords, "verify", () =>
      other.client.delete(`/api/sessions/${person.session.id}`),
    );
    const refused = await person.client.post(PROOF, { currentPassword });
    expectRefusal(refused, 401, "signed_out");
  });

  describe("and that ended its session after it was let in makes it refused, and nothing is done:", () => {
    const ASKED: Record<string, (client: Client) => Promise<Answer>> = {
      "a proof": (client) => client.post(PROOF, { currentPassword }),
      "another password": (client) =>
        client.put("/api/account/password", { currentPassword, newPassword: OTHER_PASSWORD }),
      "another address": (client) =>
        client.put("/api/account/email", { currentPassword, email: freshEmail("new") }),
      "beginning 2FA": (client) => client.post(TWO_FACTOR, { currentPassword }),
      "removing a login method": (client) => client.delete(`${METHODS}/password`),
      "logging out other devices": (client) => client.delete("/api/sessions"),
    };

    test.each(Object.entries(ASKED))("a log-out, and %s", async (_name, ask) => {
      const person = await signUp(server());
      const other = await signIn(server(), person, UA.firefoxWindows);
      rightAfter(server().latchkey.parts.database, "lookUp", async () =>
        expectNoContent(await other.client.delete(`/api/sessions/${person.session.id}`)),
      );
      const refused = await ask(person.client);
      expectRefusal(refused, 401, "signed_out");
      expect(refused.body).toMatchObject({ reason: "signed_out_remotely", by: other.session.label });
      const [last] = await activityOf(other.client);
      expect(last?.kind).toBe("session_ended");
    });

    test.each(Object.entries(ASKED))("deleting the account, and %s", async (_name, ask) => {
      const person = await signUp(server());
      const other = await signIn(server(), person, UA.firefoxWindows);
      rightAfter(server().latchkey.parts.database, "lookUp", async () =>
        expectNoContent(await other.client.delete("/api/account", { currentPassword })),
      );
      const refused = await ask(person.client);
      expectRefusal(refused, 401, "signed_out");
      expect(refused.body).toMatchObject({ reason: "account_closed", by: other.session.label });
    });

    test("a log-out of this device, and one of that device", async () => {
      const person = await signUp(server());
      const other = await signIn(server(), person, UA.firefoxWindows);
      const third = await signIn(server(), person, UA.safariIphone);
      rightAfter(server().latchkey.parts.database, "lookUp", async () =>
        expectNoContent(await other.client.delete(`/api/sessions/${person.session.id}`)),
      );
      const refused = await person.client.delete(`/api/sessions/${third.session.id}`);
      expectRefusal(refused, 401, "signed_out");
      expect(refused.body).toMatchObject({ reason: "signed_out_remotely", by: other.session.label });
      await expectSignedIn(third.client);
    });
  });
});
