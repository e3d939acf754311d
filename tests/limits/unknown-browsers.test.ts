import { expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { header } from "../support/requests/answers.ts";
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
  OTHER_PASSWORD,
  PASSWORD,
  resetToken,
  signUp,
  trySignIn,
  WRONG_PASSWORD,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor } from "../support/servers/server.ts";

const PROOF = "/api/session/proof";

describeOnEachEngine("Strangers who guess one password", (engine) => {
  const server = serverFor(engine);

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
    const thief = server().client(UA.firefoxWindows);
    thief.token = person.client.token;
    expectTooMany(await thief.post(PROOF, { currentPassword: PASSWORD }));

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
