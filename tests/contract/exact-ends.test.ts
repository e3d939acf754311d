import { afterEach, expect, test } from "vitest";
import { BoundBrowser, copyOf, signUpBound } from "../support/browsers/bound-browser.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { addPasskey, signInOptions } from "../support/login-methods/passkeys.ts";
import { type Answer, need } from "../support/requests/answers.ts";
import { DAY, MINUTE, SECOND } from "../support/requests/clock.ts";
import {
  expectNoContent,
  expectProblem,
  expectRefusal,
  expectSignedOut,
} from "../support/requests/expectations.ts";
import {
  expectStatus,
  freshEmail,
  halfSignIn,
  listOf,
  OTHER_PASSWORD,
  PASSWORD,
  resetToken,
  signIn,
  signUp,
  signUpConfirmed,
  trySignIn,
  turnOnTwoFactor,
  WRONG_PASSWORD,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor } from "../support/servers/server.ts";

/** How many wrong tries an account has in 15 minutes. */
const MOST = 10;

/** A time limit applies from its very millisecond on; before that, it has no effect. */
describeOnEachEngine("To the last millisecond of its time, and no longer, lasts", (engine) => {
  const server = serverFor(engine);
  const stopAt = (at: number) => server().clock.stopAt(at);
  /** The clock stands still, so that whatever begins now ends exactly this much later. */
  const stop = () => {
    const at = server().clock.now();
    stopAt(at);
    return at;
  };
  afterEach(() => server().clock.setTo(server().clock.now()));

  test("a link to reset the password, 30 minutes", async () => {
    const [inTime, late] = [await signUp(server()), await signUp(server())];
    const begun = stop();
    const tokens = [await resetToken(server(), inTime.email), await resetToken(server(), late.email)];
    const open = (token = "") =>
      server().client().put("/api/password-resets", { token, password: OTHER_PASSWORD });
    stopAt(begun + 30 * MINUTE - 1);
    expect((await open(tokens[0])).status).toBeLessThan(300);
    stopAt(begun + 30 * MINUTE);
    expectRefusal(await open(tokens[1]), 410, "link_expired");
  });

  test("a link to confirm an address, a day", async () => {
    const begun = stop();
    const { email } = await signUp(server());
    const token = await server().outbox.tokenFor(email, "/confirm-email");
    const preview = () => server().client().post("/api/email-confirmations/preview", { token });
    stopAt(begun + DAY - 1);
    expectStatus(200, await preview());
    stopAt(begun + DAY);
    expectRefusal(await preview(), 410, "link_expired");
    expectRefusal(await server().client().post("/api/email-confirmations", { token }), 410, "link_expired");
  });

  test("a pending sign-in, 10 minutes", async () => {
    const person = await signUp(server());
    const { recoveryCodes } = await turnOnTwoFactor(server(), person);
    const begun = stop();
    const [inTime, late] = [await halfSignIn(server(), person), await halfSignIn(server(), person)];
    const finish = (client: typeof late, at: number) =>
      client.post("/api/session/two-factor", { recoveryCode: recoveryCodes[at] });
    stopAt(begun + 10 * MINUTE - 1);
    expectStatus(201, await finish(inTime, 0));
    stopAt(begun + 10 * MINUTE);
    expectRefusal(await finish(late, 1), 401, "sign_in_expired");
  });

  test("a passkey's prompt, 10 minutes", async () => {
    const { client } = await signUp(server());
    const authenticator = await addPasskey(server(), client);
    const browsers = [server().client(UA.firefoxWindows), server().client(UA.firefoxLinux)] as const;
    const begun = stop();
    const answers = [];
    for (const browser of browsers) answers.push(authenticator.get(await signInOptions(browser)));
    const [inTime, late] = answers;
    stopAt(begun + 10 * MINUTE - 1);
    expectStatus(201, await browsers[0].post("/api/session/passkey", { passkey: inTime }));
    stopAt(begun + 10 * MINUTE);
    expect((await browsers[1].post("/api/session/passkey", { passkey: late })).status).toBe(401);
  });

  test("a proof that it is you, 10 minutes", async () => {
    const begun = stop();
    const { client } = await signUp(server());
    stopAt(begun + 10 * MINUTE - 1);
    expectStatus(200, await client.post("/api/passkeys/options"));
    stopAt(begun + 10 * MINUTE);
    expectRefusal(await client.post("/api/passkeys/options"), 403, "proof_needed");
  });

  test("a session's place on the lists of others, 30 days", async () => {
    const begun = stop();
    const person = await signUp(server());
    stopAt(begun + SECOND);
    const other = await signIn(server(), person, UA.firefoxWindows);
    stopAt(begun + 30 * DAY - 1);
    expect(await listOf(other.client)).toHaveLength(2);
    stopAt(begun + 30 * DAY);
    expect(await listOf(other.client)).toMatchObject([{ current: true }]);
  });

  test("the reason why a session ended, 7 days after its time, whether it ended before or by it", async () => {
    const begun = stop();
    const person = await signUp(server());
    stopAt(begun + SECOND);
    const other = await signIn(server(), person, UA.firefoxWindows);
    expectNoContent(await person.client.delete(`/api/sessions/${other.session.id}`));
    stopAt(begun + 37 * DAY - 1);
    await expectSignedOut(person.client, "expired");
    stopAt(begun + 37 * DAY);
    await expectSignedOut(person.client, "none");
    stopAt(begun + SECOND + 37 * DAY - 1);
    await expectSignedOut(other.client, "signed_out_remotely");
    stopAt(begun + SECOND + 37 * DAY);
    await expectSignedOut(other.client, "none");
  });

  test("an address that was given up, 7 days", async () => {
    const person = await signUpConfirmed(server());
    const email = freshEmail("new");
    expectStatus(202, await person.client.put("/api/account/email", { email, currentPassword: PASSWORD }));
    const begun = stop();
    const token = await server().outbox.tokenFor(email, "/confirm-email");
    expectNoContent(await person.client.post("/api/email-confirmations", { token }));
    const takeIt = () => server().client().post("/api/accounts", { email: person.email, password: PASSWORD });
    stopAt(begun + 7 * DAY - 1);
    expectRefusal(await takeIt(), 409, "email_taken");
    stopAt(begun + 7 * DAY);
    expectStatus(201, await takeIt());
  });

  test("a limit on tries, 15 minutes", async () => {
    const person = await signUp(server());
    const begun = stop();
    const stranger = server().client(UA.firefoxLinux);
    const guess = (): Promise<Answer> => trySignIn(stranger, { ...person, password: WRONG_PASSWORD });
    for (let tries = 0; tries < MOST; tries++) expect((await guess()).status).toBe(401);
    stopAt(begun + 15 * MINUTE - 1);
    expect((await guess()).status).toBe(429);
    stopAt(begun + 15 * MINUTE);
    expect(need(expectStatus(201, await trySignIn(stranger, person)), "account").email).toBe(person.email);
  });
});

describeOnEachEngine("To the last millisecond of its time, and no longer, binds", (engine) => {
  const server = serverFor(engine, { baseUrl: "https://app.example.test" });
  afterEach(() => server().clock.setTo(server().clock.now()));

  test("a bound cookie, 10 minutes, and the one before it no longer than it would have", async () => {
    const begun = server().clock.now();
    server().clock.stopAt(begun);
    const { client, browser } = await signUpBound(server());
    const former = copyOf(server(), client);
    server().clock.stopAt(begun + MINUTE);
    expect((await browser.refreshOnce()).status).toBe(200);
    server().clock.stopAt(begun + 10 * MINUTE - 1);
    for (const each of [client, former]) expectStatus(200, await each.get("/api/session"));
    server().clock.stopAt(begun + 10 * MINUTE);
    expectProblem(await former.get("/api/session"), 401, "device_proof_needed");
    server().clock.stopAt(begun + 11 * MINUTE - 1);
    expectStatus(200, await client.get("/api/session"));
    server().clock.stopAt(begun + 11 * MINUTE);
    expectProblem(await client.get("/api/session"), 401, "device_proof_needed");
  });

  test("the offer that comes with a sign-in, 15 minutes", async () => {
    const begun = server().clock.now();
    server().clock.stopAt(begun);
    const person = await signUp(server());
    const [client, other] = [server().client(UA.safariMac), server().client(UA.firefoxWindows)];
    const [inTime, late] = [await trySignIn(client, person), await trySignIn(other, person)];
    server().clock.stopAt(begun + 15 * MINUTE - 1);
    expectStatus(200, await new BoundBrowser(client).register(inTime));
    server().clock.stopAt(begun + 15 * MINUTE);
    expectRefusal(await new BoundBrowser(other).register(late), 422, "device_proof_wrong");
  });

  test("a challenge, 5 minutes longer than the bound cookie that came with it", async () => {
    const begun = server().clock.now();
    server().clock.stopAt(begun);
    const [inTime, late] = [await signUpBound(server()), await signUpBound(server())];
    server().clock.stopAt(begun + 15 * MINUTE - 1);
    expect((await inTime.browser.refreshOnce()).status).toBe(200);
    server().clock.stopAt(begun + 15 * MINUTE);
    expectRefusal(await late.browser.refreshOnce(), 403, "device_proof_stale");
  });
});
