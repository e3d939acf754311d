import { expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { addPasskey } from "../support/login-methods/passkeys.ts";
import { SECOND } from "../support/requests/clock.ts";
import { expectNoContent } from "../support/requests/expectations.ts";
import {
  activityOf,
  changeToken,
  OTHER_PASSWORD,
  type Person,
  resetToken,
  signIn,
  signUp,
  signUpConfirmed,
  turnOnTwoFactor,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor } from "../support/servers/server.ts";

/** B10: whoever reads that 2FA was turned on or a method added also reads that, and how, it is gone. */
describeOnEachEngine("The activity names what a stranger had set up and is removed", (engine) => {
  const server = serverFor(engine);
  const PASSKEY = { kind: "method_removed", detail: { method: "passkey", name: "Key" } };
  const PASSWORD_GONE = { kind: "method_removed", detail: { method: "password", name: "Password" } };
  const TWO_FACTOR = { kind: "two_factor_off", detail: {} };

  async function setUp(person: Person): Promise<void> {
    await addPasskey(server(), person.client);
    await turnOnTwoFactor(server(), person);
  }

  /** What the owner reads about it after the reset, in the order in which it happened. */
  async function removedFrom({ email }: Person) {
    const owner = server().client(UA.safariMac);
    const token = await resetToken(server(), email);
    expectNoContent(await owner.put("/api/password-resets", { token, password: OTHER_PASSWORD }));
    await signIn(server(), { email, password: OTHER_PASSWORD }, owner);
    const events = await activityOf(owner);
    return events.filter(({ kind }) => /^(method_removed|two_factor_off)$/.test(kind)).reverse();
  }

  const bySafari = (...events: object[]) => events.map((event) => ({ ...event, label: "Safari on Mac OS" }));

  test("with the reset of an address that nobody had confirmed", async () => {
    const stranger = await signUp(server());
    await setUp(stranger);
    expect(await removedFrom(stranger)).toMatchObject(bySafari(PASSKEY, TWO_FACTOR));
  });

  test('with "I didn\'t create it"', async () => {
    const stranger = await signUp(server());
    await setUp(stranger);
    const token = await server().outbox.tokenFor(stranger.email, "/confirm-email");
    const owner = server().client(UA.safariMac);
    expectNoContent(await owner.post("/api/email-confirmations", { token, mine: false }));
    expect(await removedFrom(stranger)).toMatchObject(bySafari(PASSKEY, TWO_FACTOR, PASSWORD_GONE));
  });

  test("with a change of the address that is taken back", async () => {
    const owner = await signUpConfirmed(server());
    const thief = { ...owner, ...(await signIn(server(), owner, UA.firefoxWindows)) };
    const token = await changeToken(server(), thief, `thief.${owner.email}`);
    server().clock.advance(SECOND);
    await setUp(thief);
    expectNoContent(await thief.client.post("/api/email-confirmations", { token }));
    const keep = await server().outbox.tokenFor(owner.email, "/keep-email");
    expectNoContent(await server().client(UA.safariMac).post("/api/email-reversals", { token: keep }));
    expect(await removedFrom(owner)).toMatchObject(bySafari(PASSKEY, TWO_FACTOR));
  });
});
