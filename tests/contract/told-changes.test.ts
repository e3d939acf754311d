import { expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { codeAt } from "../support/login-methods/totp.ts";
import { expectNoContent, expectRefusal } from "../support/requests/expectations.ts";
import {
  activityOf,
  expectStatus,
  OTHER_PASSWORD,
  PASSWORD,
  signIn,
  signUp,
  trySignIn,
  turnOnTwoFactor,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor } from "../support/servers/server.ts";

const TWO_FACTOR = "/api/account/two-factor";

describeOnEachEngine("A change of one's own account", (engine) => {
  const server = serverFor(engine, { rateLimits: "off" });

  test("is in the activity and reported by email, with a way out; undoing it leaves nothing of it", async () => {
    const person = await signUp(server());
    const { client, email } = person;
    await signIn(server(), person, UA.firefoxWindows);
    const told = async (subject: string) => (await server().outbox.withSubject(email, subject)).text;

    const change = { currentPassword: PASSWORD, newPassword: OTHER_PASSWORD };
    expectNoContent(await client.put("/api/account/password", change));
    const changed = await told("Your password was changed");
    expect(changed).toContain("1 other device was logged out.");

    const currentPassword = OTHER_PASSWORD;
    const { secret } = await turnOnTwoFactor(server(), { ...person, password: currentPassword });
    const turnedOn = await told("Two-factor authentication is on");
    const code = codeAt(secret, server().clock.now());
    const renewed = expectStatus(
      200,
      await client.post(`${TWO_FACTOR}/recovery-codes`, { currentPassword, code }),
    );
    const newCodes = await told("You have new recovery codes");
    const [recoveryCode] = JSON.parse(renewed.text).recoveryCodes;
    expectNoContent(await client.delete(TWO_FACTOR, { currentPassword, recoveryCode }));
    const turnedOff = await told("Two-factor authentication is off");

    for (const text of [changed, turnedOn, newCodes, turnedOff]) {
      expect(text).toContain("/not-me#token=");
      expect(text).toContain("Chrome on Mac OS");
    }
    const kinds = (await activityOf(client)).map(({ kind }) => kind);
    expect(kinds.slice(0, 4)).toEqual([
      "two_factor_off",
      "recovery_code_used",
      "recovery_codes_renewed",
      "two_factor_on",
    ]);
    expect(kinds).toContain("password_changed");

    expectNoContent(await client.delete("/api/account", { currentPassword }));
    expect(await told("Your account was deleted")).toContain("Chrome on Mac OS");
    const gone = await trySignIn(server().client(), { email, password: currentPassword });
    expectRefusal(gone, 401, "wrong_credentials");
    expect(await activityOf((await signUp(server(), { email })).client)).toHaveLength(2);
  });
});
