import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { textOf } from "../support/databases/at-rest.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { need } from "../support/requests/answers.ts";
import { MINUTE, SECOND } from "../support/requests/clock.ts";
import {
  expectNoContent,
  expectRefusal,
  expectRefusalAfterProof,
  expectSignedIn,
} from "../support/requests/expectations.ts";
import {
  activityOf,
  changeToken,
  expectStatus,
  freshEmail,
  listOf,
  OTHER_PASSWORD,
  PASSWORD,
  resetToken,
  signIn,
  signUp,
  turnOnTwoFactor,
  verifyEmail,
} from "../support/requests/people.ts";
import { eventShape, methodShape } from "../support/requests/shapes.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor } from "../support/servers/server.ts";

describeOnEachEngine("One's own account", (engine) => {
  const server = serverFor(engine, { rateLimits: "off" });
  const hashOf = (token: string) => createHash("sha256").update(token).digest("hex");
  const link = async (email: string, page: string) => server().outbox.tokenFor(email, page);

  test("lists its login methods", async () => {
    const person = await signUp(server());
    await signIn(server(), person, UA.firefoxWindows);
    const methods = need(await person.client.get("/api/account/login-methods"), "methods");
    expect(methods).toEqual([{ ...methodShape, id: "password", kind: "password", name: "Password" }]);
    expectRefusal(
      await person.client.delete("/api/account/login-methods/password"),
      409,
      "last_login_method",
    );
    expectRefusal(await person.client.delete("/api/account/login-methods/nope"), 404, "not_found");
  });

  test("reads what happened to it, newest first, 50 at a time", async () => {
    const person = await signUp(server());
    for (let more = 0; more < 27; more++) await signIn(server(), person, UA.firefoxWindows);
    const first = await activityOf(person.client);
    expect(first).toHaveLength(50);
    for (const event of first) expect(event).toEqual(eventShape);
    const rest = need(await person.client.get(`/api/activity?before=${first.at(-1)?.id}`), "events");
    const all = [...first, ...rest];
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    expect(all.map(({ at }) => at)).toEqual(
      all
        .map(({ at }) => at)
        .sort()
        .reverse(),
    );
    expect(all.at(-1)).toMatchObject({ kind: "account_created", label: "Chrome on Mac OS" });
    expect(all.filter(({ kind }) => kind === "session_ended")).toHaveLength(26);
  });

  test("folds repeated wrong passwords into one event with a count", async () => {
    const person = await signUp(server());
    for (let guess = 0; guess < 3; guess++) {
      await server()
        .client(UA.firefoxLinux)
        .post("/api/session", { email: person.email, password: "wrong password" });
    }
    const [newest] = await activityOf(person.client);
    expect(newest).toMatchObject({ kind: "sign_in_failed", label: "Firefox on Linux", detail: { count: 3 } });
  });

  test("confirms its address once, and asks for another email until then", async () => {
    const person = await signUp(server());
    const older = await link(person.email, "/confirm-email");
    expectStatus(202, await person.client.post("/api/account/email/verification"));
    await server().outbox.waitFor(person.email, 2);
    expectRefusal(
      await server().client().post("/api/email-confirmations", { token: older }),
      410,
      "link_expired",
    );
    await verifyEmail(server(), person);
    expect(need(await person.client.get("/api/session"), "account").emailVerified).toBe(true);
    expect((await activityOf(person.client))[0]?.kind).toBe("email_verified");
    expectRefusal(await person.client.post("/api/account/email/verification"), 409, "already_verified");
  });

  test("a taken address gets the same answer, its owner a notice without a link, and nothing changes", async () => {
    const [person, owner] = [await signUp(server()), await signUp(server())];
    const answer = await person.client.put("/api/account/email", {
      email: owner.email.toUpperCase(),
      currentPassword: PASSWORD,
    });
    const free = await person.client.put("/api/account/email", {
      email: freshEmail(),
      currentPassword: PASSWORD,
    });
    expect([answer.status, answer.text]).toEqual([free.status, free.text]);
    const notice = await server().outbox.withSubject(owner.email, "Someone tried to use your email address");
    expect(notice.text).not.toContain("#token=");
    expectRefusalAfterProof(
      await person.client.put("/api/account/email", { email: person.email, currentPassword: PASSWORD }),
      422,
      "invalid_email",
    );
  });

  test("whether a new address is taken doesn't show in the link of the change that was asked for before", async () => {
    const owner = await signUp(server());
    for (const email of [owner.email, freshEmail()]) {
      const person = await signUp(server());
      const token = await changeToken(server(), person, freshEmail("earlier"));
      expectStatus(202, await person.client.put("/api/account/email", { email, currentPassword: PASSWORD }));
      const preview = await person.client.post("/api/email-confirmations/preview", { token });
      expectRefusal(preview, 410, "link_expired");
    }
  });

  test("an unconfirmed change is cancelled by the old address and ends no session", async () => {
    const person = await signUp(server());
    await verifyEmail(server(), person);
    const email = freshEmail("new");
    expectStatus(202, await person.client.put("/api/account/email", { email, currentPassword: PASSWORD }));
    const confirm = await link(email, "/confirm-email");
    const keep = await link(person.email, "/keep-email");
    expectNoContent(await server().client().post("/api/email-reversals", { token: keep }));
    expectRefusal(
      await server().client().post("/api/email-confirmations", { token: confirm }),
      410,
      "link_expired",
    );
    expectRefusal(await server().client().post("/api/email-reversals", { token: keep }), 410, "link_expired");
    await expectSignedIn(person.client);
  });

  test("after a change is taken back, the address was reserved meanwhile, and the password is blocked until it is reset", async () => {
    const person = await signUp(server());
    await verifyEmail(server(), person);
    const email = freshEmail("thief");
    expectStatus(202, await person.client.put("/api/account/email", { email, currentPassword: PASSWORD }));
    const confirm = await link(email, "/confirm-email");
    expectNoContent(await person.client.post("/api/email-confirmations", { token: confirm }));
    const taken = await server().client().post("/api/accounts", { email: person.email, password: PASSWORD });
    expectRefusal(taken, 409, "email_taken");
    await turnOnTwoFactor(server(), person);
    expectNoContent(
      await server()
        .client()
        .post("/api/email-reversals", { token: await link(person.email, "/keep-email") }),
    );
    for (const address of [person.email, email]) {
      expectRefusal(
        await server().client().post("/api/session", { email: address, password: PASSWORD }),
        401,
        "wrong_credentials",
      );
    }
    const token = await link(person.email, "/reset-password");
    expectNoContent(await server().client().put("/api/password-resets", { token, password: OTHER_PASSWORD }));
    const back = expectStatus(
      201,
      await server().client().post("/api/session", { email: person.email, password: OTHER_PASSWORD }),
    );
    expect(need(back, "account")).toMatchObject({
      email: person.email,
      emailVerified: true,
      twoFactor: false,
    });
  });

  test("a reset link is valid for 30 minutes, nobody else gets it, and a newer one ends it", async () => {
    const person = await signUp(server());
    const older = await resetToken(server(), person.email);
    const newer = await resetToken(server(), person.email);
    const body = { password: OTHER_PASSWORD };
    expectRefusal(
      await server()
        .client()
        .put("/api/password-resets", { ...body, token: older }),
      410,
      "link_expired",
    );
    expectRefusal(
      await server().client().put("/api/password-resets", { token: newer, password: "short" }),
      422,
      "weak_password",
    );
    server().clock.advance(30 * MINUTE + SECOND);
    expectRefusal(
      await server()
        .client()
        .put("/api/password-resets", { ...body, token: newer }),
      410,
      "link_expired",
    );
    server().clock.advance(-30 * MINUTE - SECOND);
    const stored = textOf(await server().database.read("select * from emailed_link"));
    expect(stored).toContain(hashOf(newer));
    expect(stored).not.toContain(newer);
    expectNoContent(
      await server()
        .client()
        .put("/api/password-resets", { ...body, token: newer }),
    );
  });

  test("a reset of an address that nobody had confirmed leaves a squatter nothing", async () => {
    const squatter = await signUp(server());
    await turnOnTwoFactor(server(), squatter);
    const token = await resetToken(server(), squatter.email);
    expectNoContent(await server().client().put("/api/password-resets", { token, password: OTHER_PASSWORD }));
    expectRefusal(await squatter.client.get("/api/session"), 401, "signed_out");
    const [told] = (await server().outbox.to(squatter.email)).slice(-1);
    expect(told?.text).toContain("was removed, since it may be someone else's: two-factor authentication.");
    const owner = expectStatus(
      201,
      await server().client().post("/api/session", { email: squatter.email, password: OTHER_PASSWORD }),
    );
    expect(need(owner, "account")).toMatchObject({ emailVerified: true, twoFactor: false });
  });

  test("a reset request gets the same answer, whether the address is known or not", async () => {
    const person = await signUp(server());
    const [known, unknown] = await Promise.all([
      server().client().post("/api/password-resets", { email: person.email }),
      server().client().post("/api/password-resets", { email: freshEmail() }),
    ]);
    expect([known.status, known.text]).toEqual([202, unknown.text]);
    expect(unknown.status).toBe(202);
  });

  test("a proof renews the token, and open pages stay; a wrong one changes nothing", async () => {
    const person = await signUp(server());
    const live = await person.client.live();
    const before = person.client.token;
    expectRefusal(
      await person.client.post("/api/session/proof", { currentPassword: "wrong" }),
      403,
      "wrong_password",
    );
    expectNoContent(await person.client.post("/api/session/proof", { currentPassword: PASSWORD }));
    expect(person.client.token).not.toBe(before);
    const old = server().client();
    old.token = before;
    expect((await old.get("/api/session")).body).toMatchObject({ reason: "none" });
    await signIn(server(), person, UA.firefoxWindows);
    expect((await live.next()).event).toBe("sessions-changed");
  });

  test("the list has the current session first, then the last used, and contains no token", async () => {
    const person = await signUp(server());
    const other = await signIn(server(), person, UA.firefoxWindows);
    server().clock.advance(5 * MINUTE);
    await signIn(server(), person, UA.safariIphone);
    const answer = await person.client.get("/api/sessions");
    expect((await listOf(person.client)).map(({ label, current }) => [label, current])).toEqual([
      ["Chrome on Mac OS", true],
      ["Safari on iOS", false],
      ["Firefox on Windows", false],
    ]);
    for (const token of [person.client.token, other.client.token])
      expect(answer.text).not.toContain(token.slice(4));
    const stored = textOf(await server().database.read("select * from session"));
    expect(stored).toContain(hashOf(person.client.token));
    expect(stored).not.toContain(person.client.token.slice(4));
  });
});
