import { Secret } from "otpauth";
import { describe, expect, test } from "vitest";
import { findForOperator, suspend } from "../../src/operator.ts";
import { allAtRest } from "../support/databases/at-rest.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { codeAt, STEP, wrongCodeAt } from "../support/login-methods/totp.ts";
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
  expectStatus,
  halfSignIn,
  listOf,
  PASSWORD,
  signInWithCode,
  signUp,
  trySignIn,
  turnOnTwoFactor,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor } from "../support/servers/server.ts";

const ROUTE = "/api/session/two-factor";

describeOnEachEngine("Two-factor authentication", (engine) => {
  const server = serverFor(engine, { rateLimits: "off" });

  async function protectedPerson() {
    const person = await signUp(server());
    return { person, ...(await turnOnTwoFactor(server(), person)) };
  }

  test("is asked for after the password; the cookie of the first step opens nothing else (S10)", async () => {
    const { person, secret } = await protectedPerson();
    const half = server().client(UA.firefoxWindows);
    const first = expectStatus(
      202,
      await half.post("/api/session", { email: person.email, password: PASSWORD }),
    );
    expect(first.body).toEqual({
      twoFactor: { methods: ["totp", "recovery_code"], expiresAt: expect.stringMatching(/Z$/) },
    });
    for (const path of [
      "/api/session",
      "/api/sessions",
      "/api/activity",
      "/api/account/login-methods",
      "/api/live",
    ]) {
      expectRefusal(await half.get(path), 401, "signed_out");
    }
    expect((await half.get("/verify")).status).toBe(401);
    expect(await listOf(person.client)).toHaveLength(1);
    const answer = expectStatus(201, await half.post(ROUTE, { code: codeAt(secret, server().clock.now()) }));
    expect(need(answer, "account").twoFactor).toBe(true);
    await expectSignedIn(half);
    expect((await activityOf(half)).map(({ kind }) => kind)).not.toContain("recovery_code_used");
  });

  test("accepts the current step and one either side, spaces and all, each once", async () => {
    const { person, secret } = await protectedPerson();
    server().clock.advance(10 * MINUTE);
    for (const steps of [-1, 0, 1]) {
      const half = await halfSignIn(server(), person);
      const code = codeAt(secret, server().clock.now(), steps).replace(/(...)/, " $1 ");
      expectStatus(201, await half.post(ROUTE, { code }));
      const again = await halfSignIn(server(), person);
      expectRefusal(await again.post(ROUTE, { code: code.trim() }), 401, "wrong_code");
    }
    for (const steps of [-3, -2, 2, 3]) {
      const half = await halfSignIn(server(), person);
      expectRefusal(
        await half.post(ROUTE, { code: codeAt(secret, server().clock.now(), steps) }),
        401,
        "wrong_code",
      );
    }
  });

  test("an earlier step that was used stays used after a later one", async () => {
    const { person, secret } = await protectedPerson();
    server().clock.advance(10 * MINUTE);
    server().clock.toMiddleOf(STEP);
    const now = server().clock.now();
    const give = async (steps: number) =>
      (await halfSignIn(server(), person)).post(ROUTE, { code: codeAt(secret, now, steps) });
    for (const steps of [-1, 0, 1]) expectStatus(201, await give(steps));
    for (const steps of [-1, 0, 1]) expectRefusal(await give(steps), 401, "wrong_code");
  });

  test("counts the code that turned it on as used", async () => {
    const person = await signUp(server());
    server().clock.toMiddleOf(STEP);
    const { secret } = await turnOnTwoFactor(server(), person);
    const code = codeAt(secret, server().clock.now(), -1);
    const half = await halfSignIn(server(), person);
    expectRefusal(await half.post(ROUTE, { code }), 401, "wrong_code");
  });

  test("a step that was used ahead of its time stays used when its time comes, and afterwards", async () => {
    const { person, secret } = await protectedPerson();
    server().clock.advance(10 * MINUTE);
    server().clock.toMiddleOf(STEP);
    const code = codeAt(secret, server().clock.now(), 1);
    expectStatus(201, await (await halfSignIn(server(), person)).post(ROUTE, { code }));
    for (let later = 1; later <= 2; later++) {
      server().clock.advance(STEP);
      const again = await halfSignIn(server(), person);
      expectRefusal(await again.post(ROUTE, { code }), 401, "wrong_code");
    }
  });

  test("lets in nobody whose account was suspended meanwhile, not even with the right code", async () => {
    const { person, secret, recoveryCodes } = await protectedPerson();
    const { parts } = server().latchkey;
    const found = await findForOperator(parts, person.email);
    if (!found.ok) throw new Error("The account isn't there.");
    await suspend(parts, found.account, server().clock.now());
    for (const given of [
      { code: codeAt(secret, server().clock.now()) },
      { recoveryCode: recoveryCodes[0] },
    ]) {
      const half = await halfSignIn(server(), person);
      expectRefusal(await half.post(ROUTE, given), 403, "account_suspended");
      expectRefusal(await half.get("/api/session"), 401, "signed_out");
    }
  });

  test("leaves the same browser's session alone until the second factor has passed", async () => {
    const { person, secret } = await protectedPerson();
    expectStatus(202, await trySignIn(person.client, person));
    await expectSignedIn(person.client);
    const { token } = person.client;
    const code = codeAt(secret, server().clock.now());
    expectStatus(201, await person.client.post(ROUTE, { code }));
    person.client.token = token;
    expectRefusal(await person.client.get("/api/session"), 401, "signed_out");
  });

  test("a wrong code leaves the sign-in open, until ten were wrong", async () => {
    const { person, secret } = await protectedPerson();
    const half = await halfSignIn(server(), person);
    const code = wrongCodeAt(secret, server().clock.now());
    for (let wrong = 1; wrong <= 10; wrong++)
      expectRefusal(await half.post(ROUTE, { code }), 401, "wrong_code");
    expectRefusal(
      await half.post(ROUTE, { code: codeAt(secret, server().clock.now()) }),
      401,
      "sign_in_expired",
    );
  });

  test("wrong codes are reported by email once per sign-in; in a browser that the account knows, at the third one", async () => {
    const { person, secret } = await protectedPerson();
    const code = wrongCodeAt(secret, server().clock.now());
    const told = async () => {
      const emails = await server().outbox.to(person.email);
      return emails.filter(({ subject }) => subject.includes("Someone knows your password")).length;
    };
    for (let signIns = 1; signIns <= 2; signIns++) {
      const half = await halfSignIn(server(), person);
      for (let wrong = 1; wrong <= 3; wrong++) {
        expectRefusal(await half.post(ROUTE, { code }), 401, "wrong_code");
        expect(await told()).toBe(signIns);
      }
    }
    expectStatus(202, await person.client.post("/api/session", person));
    for (const soFar of [2, 2, 3, 3]) {
      expectRefusal(await person.client.post(ROUTE, { code }), 401, "wrong_code");
      expect(await told()).toBe(soFar);
    }
  });

  test("lasts ten minutes", async () => {
    const { person, secret } = await protectedPerson();
    const half = await halfSignIn(server(), person);
    server().clock.advance(10 * MINUTE + SECOND);
    expectRefusal(
      await half.post(ROUTE, { code: codeAt(secret, server().clock.now()) }),
      401,
      "sign_in_expired",
    );
    expectRefusal(await server().client().post(ROUTE, { code: "123456" }), 401, "sign_in_expired");
  });

  test("a recovery code opens once, typed in any case, and only one's own", async () => {
    const { person, recoveryCodes } = await protectedPerson();
    expect(recoveryCodes).toHaveLength(10);
    const stranger = await protectedPerson();
    const recoveryCode = recoveryCodes[0] ?? "";
    const foreign = await halfSignIn(server(), stranger.person);
    expectRefusal(await foreign.post(ROUTE, { recoveryCode }), 401, "wrong_code");
    const half = await halfSignIn(server(), person, UA.firefoxWindows);
    expectStatus(
      201,
      await half.post(ROUTE, { recoveryCode: recoveryCode.toUpperCase().replaceAll("-", " ") }),
    );
    const again = await halfSignIn(server(), person);
    expectRefusal(await again.post(ROUTE, { recoveryCode }), 401, "wrong_code");
    expect((await activityOf(half)).map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(["recovery_code_used", "two_factor_failed"]),
    );
    await server().outbox.withSubject(person.email, "A recovery code was used");
    await server().outbox.withSubject(person.email, "Someone knows your password");
  });

  test("replaces nobody before the second factor has passed", async () => {
    const { person, secret } = await protectedPerson();
    await halfSignIn(server(), person);
    await expectSignedIn(person.client);
    await signInWithCode(server(), person, secret);
    expectRefusal(await person.client.get("/api/session"), 401, "signed_out");
  });

  describe("the settings", () => {
    test("refuse what doesn't fit their state", async () => {
      const person = await signUp(server());
      const { client } = person;
      const off = { currentPassword: PASSWORD, code: "123456" };
      expectRefusal(await client.put("/api/account/two-factor", { code: "123456" }), 422, "wrong_code");
      expectRefusalAfterProof(await client.delete("/api/account/two-factor", off), 409, "not_on");
      expectRefusalAfterProof(
        await client.post("/api/account/two-factor/recovery-codes", off),
        409,
        "not_on",
      );
      expectRefusal(await client.post("/api/account/two-factor", {}), 422, "invalid_input");
      expectRefusal(
        await client.post("/api/account/two-factor", { currentPassword: "wrong" }),
        403,
        "wrong_password",
      );
      const { secret } = await turnOnTwoFactor(server(), person);
      expectRefusalAfterProof(
        await client.post("/api/account/two-factor", { currentPassword: PASSWORD }),
        409,
        "already_on",
      );
      const code = codeAt(secret, server().clock.now());
      expectRefusal(await client.put("/api/account/two-factor", { code }), 422, "wrong_code");
      expectRefusalAfterProof(
        await client.delete("/api/account/two-factor", { ...off, code: "000000" }),
        422,
        "wrong_code",
      );
    });

    test("renew the recovery codes and turn it off, each with the password and a second factor", async () => {
      const { person, secret, recoveryCodes } = await protectedPerson();
      const code = codeAt(secret, server().clock.now());
      const renewed = expectStatus(
        200,
        await person.client.post("/api/account/two-factor/recovery-codes", {
          currentPassword: PASSWORD,
          code,
        }),
      );
      const fresh = need(renewed, "recoveryCodes");
      expect(fresh.filter((one) => recoveryCodes.includes(one))).toEqual([]);
      const off = { currentPassword: PASSWORD, recoveryCode: recoveryCodes[0] };
      expectRefusalAfterProof(await person.client.delete("/api/account/two-factor", off), 422, "wrong_code");
      expectNoContent(
        await person.client.delete("/api/account/two-factor", { ...off, recoveryCode: fresh[0] }),
      );
      expect(need(await person.client.get("/api/session"), "account").twoFactor).toBe(false);
      expectStatus(
        201,
        await server().client().post("/api/session", { email: person.email, password: PASSWORD }),
      );
    });

    test("keep the secret sealed and the codes hashed at rest", async () => {
      const { secret, recoveryCodes } = await protectedPerson();
      const stored = await allAtRest(server().database);
      expect(stored).not.toContain(secret);
      expect(stored).not.toContain(Buffer.from(Secret.fromBase32(secret).buffer).toString("hex"));
      for (const code of recoveryCodes)
        for (const spelled of [code, code.replaceAll("-", "")]) expect(stored).not.toContain(spelled);
    });

    test("hold a secret that was copied from another account's row for unreadable", async () => {
      const [mine, foreign] = [await protectedPerson(), await protectedPerson()];
      const { database } = server().latchkey.parts;
      await database.write(async ({ query }) => {
        const { secret } = await query
          .selectFrom("two_factor")
          .select("secret")
          .where("account_id", "=", mine.person.account.id)
          .executeTakeFirstOrThrow();
        await query
          .updateTable("two_factor")
          .set({ secret })
          .where("account_id", "=", foreign.person.account.id)
          .execute();
      });
      const half = await halfSignIn(server(), foreign.person);
      const code = codeAt(mine.secret, server().clock.now());
      expectRefusal(await half.post(ROUTE, { code }), 503, "unavailable");
    });
  });
});
