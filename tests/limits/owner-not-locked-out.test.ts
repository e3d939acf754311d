import { expect, test, vi } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { codeAt, wrongCodeAt } from "../support/login-methods/totp.ts";
import { need } from "../support/requests/answers.ts";
import type { Client } from "../support/requests/client.ts";
import { expectNoContent, expectRefusal, expectTooMany } from "../support/requests/expectations.ts";
import {
  expectStatus,
  freshEmail,
  halfSignIn,
  OTHER_PASSWORD,
  PASSWORD,
  type Person,
  signUp,
  trySignIn,
  turnOnTwoFactor,
  WRONG_PASSWORD,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor } from "../support/servers/server.ts";

const PROOF = "/api/session/proof";
const TWO_FACTOR = "/api/session/two-factor";
const SETTINGS = "/api/account/two-factor";

describeOnEachEngine("A stranger uses up only their own tries", (engine) => {
  const server = serverFor(engine);

  /** Another browser with the cookie of a session, and nothing else from that browser. */
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

  test("guessing the code that turns two-factor authentication on", async () => {
    const person = await signUp(server());
    const begun = await person.client.post(SETTINGS, { currentPassword: PASSWORD });
    const secret = need(expectStatus(201, begun), "secret");
    const thief = thiefOf(person);
    const code = wrongCodeAt(secret, server().clock.now());
    for (let guess = 0; guess < 20; guess++)
      expectRefusal(await thief.put(SETTINGS, { code }), 422, "wrong_code");
    const right = { code: codeAt(secret, server().clock.now()) };
    expectTooMany(await thief.put(SETTINGS, right));
    expectStatus(200, await person.client.put(SETTINGS, right));
  });

  test("and the owner's own wrong codes are forgotten after a right one", async () => {
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

  test("and right passwords use up none, however many come at once", async () => {
    const person = await signUp(server());
    const other = await signUp(server(), { password: OTHER_PASSWORD });
    const { passwords } = server().latchkey.parts;
    const { verify } = passwords;
    const othersTurn = Promise.withResolvers<void>();
    const verifying = vi.spyOn(passwords, "verify").mockImplementation(async (...of) => {
      if (of[0] === PASSWORD) await othersTurn.promise;
      return verify.apply(passwords, of);
    });
    const tries = Array.from({ length: 24 }, () => trySignIn(server().client(UA.script), person));
    expectStatus(201, await trySignIn(other.client, other));
    othersTurn.resolve();
    for (const answer of await Promise.all(tries)) expectStatus(201, answer);
    verifying.mockRestore();
  });

  test("a missing code doesn't count as a try", async () => {
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
});

describeOnEachEngine("If limits are turned off", (engine) => {
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
