import { expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { header } from "../support/requests/answers.ts";
import type { Client } from "../support/requests/client.ts";
import { MINUTE } from "../support/requests/clock.ts";
import {
  expectNoContent,
  expectRefusal,
  expectRefusalAfterProof,
  expectSignedOut,
  expectTooMany,
  expectTooManyAfterProof,
} from "../support/requests/expectations.ts";
import {
  expectStatus,
  freshEmail,
  OTHER_PASSWORD,
  PASSWORD,
  resetToken,
  signIn,
  signUp,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor } from "../support/servers/server.ts";

const WEAK = "short";
const SIGN_UPS_OF_A_NETWORK = 300;
const NEW_PASSWORDS = 30;
/** As slow as a strength estimate can be in every way. */
const PATHOLOGICAL = "4@8({[<3€6!|1057+$%2".repeat(50);

describeOnEachEngine("The strength of a new password", (engine) => {
  const server = serverFor(engine);
  const verifying = serverFor(engine, { signUp: "verify-first" });
  const unlimited = serverFor(engine, { rateLimits: "off" });

  test("is checked at a sign-up only while its network has sign-ups left", async () => {
    const body = { email: freshEmail(), password: WEAK };
    for (let tried = 0; tried < SIGN_UPS_OF_A_NETWORK; tried++)
      expectStatus(422, await server().client().post("/api/accounts", body));
    expectTooMany(await server().client().post("/api/accounts", body));
    server().clock.advance(61 * MINUTE);
    expectRefusal(await server().client().post("/api/accounts", body), 422, "weak_password");
  });

  test("is checked only this often at a change, after the current password; a wrong current one is refused first", async () => {
    const { client } = await signUp(server());
    const change = (newPassword: string, currentPassword = PASSWORD) =>
      client.put("/api/account/password", { currentPassword, newPassword });
    expectRefusal(await change(WEAK, "nobody's own password"), 403, "wrong_password");
    for (let tried = 0; tried < NEW_PASSWORDS; tried++)
      expectRefusalAfterProof(await change(WEAK), 422, "weak_password");
    expectTooManyAfterProof(await change(WEAK));
    expectTooManyAfterProof(await change(OTHER_PASSWORD));
    server().clock.advance(16 * MINUTE);
    expectNoContent(await change(OTHER_PASSWORD));
  });

  test("is checked for the owner's reset, and in the owner's own browser, whatever an intruder's session has used up", async () => {
    const owner = await signUp(server());
    const intruder = await signIn(server(), owner, UA.firefoxWindows);
    const change = (client: Client, newPassword: string) =>
      client.put("/api/account/password", { currentPassword: PASSWORD, newPassword });
    for (let tried = 0; tried < NEW_PASSWORDS; tried++)
      expectRefusalAfterProof(await change(intruder.client, WEAK), 422, "weak_password");
    expectTooManyAfterProof(await change(intruder.client, OTHER_PASSWORD));
    expectRefusalAfterProof(await change(owner.client, WEAK), 422, "weak_password");
    const token = await resetToken(server(), owner.email);
    const reset = { token, password: OTHER_PASSWORD };
    expectNoContent(await server().client().put("/api/password-resets", reset));
    await expectSignedOut(intruder.client, "password_reset");
  });

  test("is checked only this often per reset link, which stays valid", async () => {
    const { email } = await signUp(server());
    const token = await resetToken(server(), email);
    const reset = (password: string, link = token) =>
      server().client().put("/api/password-resets", { token: link, password });
    for (let tried = 0; tried < NEW_PASSWORDS; tried++)
      expectRefusal(await reset(WEAK), 422, "weak_password");
    expectTooMany(await reset(OTHER_PASSWORD));
    expectRefusal(await reset(WEAK, "x".repeat(43)), 410, "link_expired");
    server().clock.advance(16 * MINUTE);
    expectNoContent(await reset(OTHER_PASSWORD));
  });

  test("is checked only this often per sign-up link, which stays valid", async () => {
    const email = freshEmail();
    expectStatus(202, await verifying().client().post("/api/accounts", { email, password: PASSWORD }));
    const token = await verifying().outbox.tokenFor(email, "/sign-up");
    const finish = (password: string) => verifying().client().put("/api/accounts", { token, password });
    for (let tried = 0; tried < NEW_PASSWORDS; tried++)
      expectRefusal(await finish(WEAK), 422, "weak_password");
    expectTooMany(await finish(OTHER_PASSWORD));
    verifying().clock.advance(16 * MINUTE);
    expectStatus(201, await finish(OTHER_PASSWORD));
  });

  test("is checked for few at a time: a flood is told to come back, and is forgotten once it is over", async () => {
    const { client } = await signUp(unlimited());
    const flood = await Promise.all(
      Array.from({ length: 400 }, () =>
        unlimited().client().post("/api/accounts", { email: freshEmail(), password: PATHOLOGICAL }),
      ),
    );
    const judged = flood.filter(({ status }) => status !== 503);
    const turnedAway = flood.filter(({ status }) => status === 503);
    expect(judged.length).toBeGreaterThan(0);
    expect(turnedAway.length).toBeGreaterThan(0);
    for (const answer of turnedAway) {
      expectRefusal(answer, 503, "unavailable");
      expect(header(answer, "retry-after")).toMatch(/^[1-9]\d*$/);
    }
    expectNoContent(
      await client.put("/api/account/password", { currentPassword: PASSWORD, newPassword: OTHER_PASSWORD }),
    );
  });
});
