import { expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { codeAt, wrongCodeAt } from "../support/login-methods/totp.ts";
import { header } from "../support/requests/answers.ts";
import type { Client } from "../support/requests/client.ts";
import { DAY, HOUR, MINUTE } from "../support/requests/clock.ts";
import {
  expectNoContent,
  expectRefusal,
  expectSignedIn,
  expectTooMany,
} from "../support/requests/expectations.ts";
import {
  expectStatus,
  freshEmail,
  halfSignIn,
  OTHER_PASSWORD,
  PASSWORD,
  type Person,
  resetToken,
  signUp,
  trySignIn,
  turnOnTwoFactor,
  WRONG_PASSWORD,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor } from "../support/servers/server.ts";

const PROOF = "/api/session/proof";
const TWO_FACTOR = "/api/session/two-factor";

describeOnEachEngine("A stranger uses up only his own tries", (engine) => {
  const server = serverFor(engine);

  /** Another browser with the cookie of a session, and nothing else of its browser. */
  function thiefOf({ client }: Person): Client {
    const thief = server().client(UA.firefoxWindows);
    thief.token = client.token;
    return thief;
  }

  test("with a stolen cookie, guessing the current password", async () => {
    const person = await signUp(server());
    const thief = thiefOf(person);
    for (let guess = 0; guess < 10; guess++)
      expectRefusal(await thief.post(PROOF, { currentPassword: WRONG_PASSWORD }), 403, "wrong_password");
    expectTooMany(await thief.post(PROOF, { currentPassword: PASSWORD }));
    expectNoContent(await person.client.post(PROOF, { currentPassword: PASSWORD }));
  });

  test("with a stolen cookie, guessing codes", async () => {
    const person = await signUp(server());
    const { secret } = await turnOnTwoFactor(server(), person);
    const thief = thiefOf(person);
    const code = wrongCodeAt(secret, server().clock.now());
    for (let guess = 0; guess < 20; guess++)
      expectRefusal(await thief.post(PROOF, { code }), 422, "wrong_code");
    expectTooMany(await thief.post(PROOF, { code }));
    const right = { code: codeAt(secret, server().clock.now()) };
    expectNoContent(await person.client.post(PROOF, right));
  });

  test("with the password, guessing codes at the second step of a sign-in", async () => {
    const person = await signUp(server());
    const { secret } = await turnOnTwoFactor(server(), person);
    const code = wrongCodeAt(secret, server().clock.now());
    for (let round = 0; round < 2; round++) {
      const stranger = await halfSignIn(server(), person, UA.firefoxWindows);
      for (let guess = 0; guess < 10; guess++)
        expectRefusal(await stranger.post(TWO_FACTOR, { code }), 401, "wrong_code");
    }
    const again = await halfSignIn(server(), person, UA.firefoxWindows);
    expectTooMany(await again.post(TWO_FACTOR, { code }));

    expectStatus(202, await trySignIn(person.client, person));
    const right = { code: codeAt(secret, server().clock.now()) };
    expectStatus(201, await person.client.post(TWO_FACTOR, right));
  });

  test("and the owner's own wrong codes are forgotten with a right one", async () => {
    const person = await signUp(server());
    const { secret } = await turnOnTwoFactor(server(), person);
    const code = wrongCodeAt(secret, server().clock.now());
    const guess = async (times: number) => {
      expectStatus(202, await trySignIn(person.client, person));
      for (let time = 0; time < times; time++)
        expectRefusal(await person.client.post(TWO_FACTOR, { code }), 401, "wrong_code");
    };
    await guess(10);
    await guess(9);
    const right = { code: codeAt(secret, server().clock.now()) };
    expectStatus(201, await person.client.post(TWO_FACTOR, right));
    await guess(2);
  });

  test("a code that is missing is no try", async () => {
    const person = await signUp(server());
    const { secret } = await turnOnTwoFactor(server(), person);
    const body = { currentPassword: PASSWORD };
    for (let time = 0; time < 25; time++)
      expect((await person.client.post(PROOF, body)).body.code).toBe("wrong_code");
    const code = codeAt(secret, server().clock.now());
    expectNoContent(await person.client.post(PROOF, { ...body, code }));
  });

  test("however the address is spelled, and until the right password is given", async () => {
    const person = await signUp(server());
    const [email, nobody] = [person.email, freshEmail("nobody")];
    const spelled = (address: string, guess: number) =>
      [address, address.toUpperCase(), ` ${address}`][guess % 3] ?? address;
    const wrong = (address: string, guess: number) =>
      trySignIn(server().client(), { email: spelled(address, guess), password: WRONG_PASSWORD });
    for (let guess = 0; guess < 9; guess++)
      expectRefusal(await wrong(email, guess), 401, "wrong_credentials");
    expectStatus(201, await trySignIn(server().client(UA.firefoxLinux), person));
    for (const address of [email, nobody]) {
      for (let guess = 0; guess < 10; guess++)
        expectRefusal(await wrong(address, guess), 401, "wrong_credentials");
      for (let guess = 0; guess < 3; guess++) expectTooMany(await wrong(address, guess));
    }
  });

  test("of all browsers that an account doesn't know, 100 wrong passwords a day are checked", async () => {
    const person = await signUp(server());
    const nobody = { email: freshEmail("nobody"), password: WRONG_PASSWORD };
    const wrong = { email: person.email, password: WRONG_PASSWORD };
    for (let guess = 1; guess <= 100; guess++) {
      if (guess % 9 === 0) server().clock.advance(15 * MINUTE);
      // A right one from there gives its try back.
      if (guess === 50) expectStatus(201, await trySignIn(server().client(UA.safariIphone), person));
      for (const asked of [wrong, nobody])
        expectRefusal(await trySignIn(server().client(UA.firefoxWindows), asked), 401, "wrong_credentials");
    }
    server().clock.advance(15 * MINUTE);
    const capped = await trySignIn(server().client(UA.firefoxWindows), person);
    expectTooMany(capped);
    expect(Number(header(capped, "retry-after"))).toBeGreaterThan((12 * HOUR) / 1_000);
    expect(capped.body.detail).toMatch(/Try again in \d+ hours\./);
    const alike = await trySignIn(server().client(UA.firefoxWindows), nobody);
    expect([alike.status, alike.text]).toEqual([capped.status, capped.text]);
    expectTooMany(await thiefOf(person).post(PROOF, { currentPassword: PASSWORD }));

    await expectSignedIn(person.client);
    expectNoContent(await person.client.post(PROOF, { currentPassword: PASSWORD }));
    expectStatus(201, await trySignIn(person.client, person));
    const token = await resetToken(server(), person.email);
    expectNoContent(await server().client().put("/api/password-resets", { token, password: OTHER_PASSWORD }));
    const fresh = { email: person.email, password: OTHER_PASSWORD };
    expectStatus(201, await trySignIn(server().client(UA.firefoxLinux), fresh));

    server().clock.advance(DAY);
    const next = await trySignIn(server().client(UA.firefoxWindows), nobody);
    expectRefusal(next, 401, "wrong_credentials");
  });
});

describeOnEachEngine("Where limits are switched off", (engine) => {
  const server = serverFor(engine, { rateLimits: "off" });

  test("nobody has to wait, however often they try", async () => {
    const person = await signUp(server());
    for (let guess = 0; guess < 12; guess++)
      expectRefusal(
        await trySignIn(server().client(), { ...person, password: WRONG_PASSWORD }),
        401,
        "wrong_credentials",
      );
    expectStatus(201, await trySignIn(server().client(UA.firefoxLinux), person));
  });
});
