import { expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { codeAt } from "../support/login-methods/totp.ts";
import { tokenIn } from "../support/mail/outbox.ts";
import { need } from "../support/requests/answers.ts";
import { expectRefusal, expectSignedIn } from "../support/requests/expectations.ts";
import {
  expectStatus,
  freshEmail,
  isSignedIn,
  listOf,
  PASSWORD,
  signUp,
  signUpConfirmed,
  trySignIn,
  turnOnTwoFactor,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { together } from "../support/servers/together.ts";
import { twoNodesFor } from "../support/servers/two-nodes.ts";

const AT_ONCE = 16;
const ROUNDS = 25;

describeOnEachEngine("Changes that are requested at once, on two nodes", (engine) => {
  const nodes = twoNodesFor(engine);

  test("of two addresses, each emailed link confirms the one that it went to, and no other", async () => {
    const { server, browser } = nodes();
    for (let round = 0; round < ROUNDS; round++) {
      const person = await signUpConfirmed(server);
      const browsers = [browser(0), browser(1)];
      for (const one of browsers) one.token = person.client.token;
      const addresses = [freshEmail("one"), freshEmail("two")];
      // A right current password renews the token: of two at once, the later one is refused or goes on.
      await together(browsers, (one, number) =>
        one.put("/api/account/email", { email: addresses[number], currentPassword: PASSWORD }),
      );
      const fresh = expectStatus(201, await trySignIn(person.client, person));
      const { id } = need(fresh, "account");
      for (const address of addresses) {
        const mails = (await server.outbox.to(address)).filter(({ text }) => text.includes("/confirm-email"));
        for (const mail of mails) {
          const token = tokenIn(mail, "/confirm-email");
          const { status } = await person.client.post("/api/email-confirmations", { token });
          expect([204, 410]).toContain(status);
          const { email } = need(await person.client.get("/api/session"), "account");
          if (status === 204) expect(email).toBe(address);
        }
      }
      const row = server.latchkey.parts.database.read.selectFrom("account").select("email");
      const stored = await row.where("id", "=", id).executeTakeFirstOrThrow();
      expect([person.email, ...addresses]).toContain(stored.email);
    }
  }, 120_000);

  test("one that gave no password needs a proof if another has changed the credentials meanwhile", async () => {
    const { server } = nodes();
    const codes: (string | undefined)[] = [];
    for (let round = 0; round < 5; round++) {
      const { client } = await signUpConfirmed(server);
      const email = freshEmail("new");
      expectStatus(202, await client.put("/api/account/email", { email, currentPassword: PASSWORD }));
      const token = await server.outbox.tokenFor(email, "/confirm-email");
      const begun = await client.post("/api/account/two-factor", { currentPassword: PASSWORD });
      const code = codeAt(need(expectStatus(201, begun), "secret"), server.clock.now());
      // Recovery codes take a while to create: the other change is done before the lock is requested.
      const on = client.put("/api/account/two-factor", { code });
      expectStatus(204, await client.post("/api/email-confirmations", { token }));
      codes.push((await on).body.code);
    }
    expect(codes).toContain("proof_needed");
    expect(codes.filter((code) => code !== "proof_needed" && code !== undefined)).toEqual([]);
  });

  test("proofs from one token make one token after it, and the session lives on", async () => {
    const { server, browser } = nodes();
    for (let round = 0; round < 5; round++) {
      const person = await signUp(server);
      const { token } = person.client;
      const tabs = Array.from({ length: AT_ONCE }, (_, node) => browser(node));
      for (const tab of tabs) tab.token = token;
      await together(tabs, (tab) => tab.post("/api/session/proof", { currentPassword: PASSWORD }));
      const renewed = new Set(tabs.map((tab) => tab.token));
      renewed.delete(token);
      const living = [];
      for (const one of [token, ...renewed]) {
        person.client.token = one;
        if (await isSignedIn(person.client)) living.push(one);
      }
      expect(living).toHaveLength(1);
      expect(living).not.toEqual([token]);
      person.client.token = living[0] ?? "";
      await expectSignedIn(person.client);
      expect(await listOf(person.client)).toHaveLength(1);
    }
  }, 60_000);
});

describeOnEachEngine("Guesses at a second factor, at once and on two nodes", (engine) => {
  const nodes = twoNodesFor(engine, { rateLimits: "on" });

  test("are 20 for an account, however many sign-ins they are spread over; a new sign-in gives none back", async () => {
    const { server, browser } = nodes();
    const person = await signUp(server);
    const { secret } = await turnOnTwoFactor(server, person);
    const halves = Array.from({ length: 32 }, (_, node) => browser(node, UA.script));
    for (const half of halves) expectStatus(202, await trySignIn(half, person));
    const answers = await together(halves, (half) =>
      half.post("/api/session/two-factor", { code: "000000" }),
    );
    const codes = answers.map(({ body }) => body.code);
    expect(codes.filter((code) => code === "wrong_code")).toHaveLength(20);
    expect(codes.filter((code) => code === "too_many_attempts")).toHaveLength(12);
    const again = browser(0, UA.script);
    expectStatus(202, await trySignIn(again, person));
    const right = { code: codeAt(secret, server.clock.now()) };
    const refused = await again.post("/api/session/two-factor", right);
    expectRefusal(refused, 429, "too_many_attempts");
    // A browser that the account knows isn't kept out by that.
    expectStatus(202, await trySignIn(person.client, person));
    expectStatus(201, await person.client.post("/api/session/two-factor", right));
  });
});
