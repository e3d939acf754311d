import { expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { MINUTE } from "../support/requests/clock.ts";
import { expectTooMany } from "../support/requests/expectations.ts";
import { freshEmail, signIn, signUp, trySignIn, WRONG_PASSWORD } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor } from "../support/servers/server.ts";

const MOST = 100;

describeOnEachEngine("One network that tries a password at many addresses", (engine) => {
  const server = serverFor(engine, { trustedProxies: "127.0.0.1" });

  test("has 100 wrong tries in 15 minutes, even if no address had two of them; other networks go on", async () => {
    const guesses = { "X-Forwarded-For": "203.0.113.7" };
    const person = await signUp(server());
    const guess = (email: string) =>
      server().client().post("/api/session", { email, password: WRONG_PASSWORD }, guesses);
    for (let tries = 0; tries < MOST; tries++) expect((await guess(freshEmail())).status).toBe(401);
    expectTooMany(await guess(freshEmail()));
    expectTooMany(await guess(person.email));

    const elsewhere = server().client(UA.firefoxWindows);
    const from = { "X-Forwarded-For": "203.0.113.8" };
    const { email, password } = person;
    expect((await elsewhere.post("/api/session", { email, password }, from)).status).toBe(201);
    expect((await trySignIn(person.client, person)).status).toBe(201);

    server().clock.advance(16 * MINUTE);
    expect((await guess(freshEmail())).status).toBe(401);
    await signIn(server(), person, UA.safariMac);
  });
});
