import { describe, expect, test, vi } from "vitest";
import { endEveryone, findForOperator, remove, suspend } from "../../src/operator.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import type { Answer } from "../support/requests/answers.ts";
import type { Client } from "../support/requests/client.ts";
import { expectNoContent, expectRefusal } from "../support/requests/expectations.ts";
import {
  changeToken,
  expectStatus,
  freshEmail,
  OTHER_PASSWORD,
  PASSWORD,
  type Person,
  resetToken,
  signIn,
  signUp,
  signUpConfirmed,
  turnOnTwoFactor,
  verifyEmail,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { rightBefore } from "../support/servers/meanwhile.ts";
import { serverFor, type TestServer } from "../support/servers/server.ts";

type Link = {
  make: (server: TestServer, person: Person) => Promise<string>;
  use: (browser: Client, token: string) => Promise<Answer>;
};

/**
 * Every kind of link that gives access to someone who reads the email; the owner's rescue links are not among
 * them.
 */
const LINKS: Record<string, Link> = {
  "a password reset": {
    make: (server, { email }) => resetToken(server, email),
    use: (browser, token) => browser.put("/api/password-resets", { token, password: OTHER_PASSWORD }),
  },
  "a confirmation of another address": {
    make: async (server, person) => {
      const email = freshEmail("next");
      return changeToken(server, person, email);
    },
    use: (browser, token) => browser.post("/api/email-confirmations", { token }),
  },
};

type Event = { happen: (server: TestServer, person: Person) => Promise<void> };

const operate =
  (act: typeof suspend | typeof remove) =>
  async (server: TestServer, { email }: Person) => {
    const { parts } = server.latchkey;
    const found = await findForOperator(parts, email);
    if (!found.ok) throw new Error("The account isn't there.");
    await act(parts, found.account, server.clock.now());
  };

/** All except its last step. */
async function changeOfAddress(server: TestServer, person: Person): Promise<() => Promise<void>> {
  const other = await signIn(server, person, UA.safariIphone);
  const email = freshEmail("moved");
  const token = await changeToken(server, other, email);
  return async () => expectNoContent(await other.client.post("/api/email-confirmations", { token }));
}

const EVENTS: Record<string, Event> = {
  "the password was changed": {
    happen: async (_server, { client }) => {
      const body = { currentPassword: PASSWORD, newPassword: OTHER_PASSWORD };
      expectNoContent(await client.put("/api/account/password", body));
    },
  },
  "the password was reset": {
    happen: async (server, { email }) => {
      const body = { token: await resetToken(server, email), password: OTHER_PASSWORD };
      expectNoContent(await server.client().put("/api/password-resets", body));
    },
  },
  "the address was changed": {
    happen: async (server, person) => (await changeOfAddress(server, person))(),
  },
  "the account was suspended": { happen: operate(suspend) },
  "the account was deleted": { happen: operate(remove) },
  "everyone was logged out": {
    happen: async (server) => {
      await endEveryone(server.latchkey.parts, server.clock.now());
    },
  },
};

describeOnEachEngine("An emailed link", (engine) => {
  const server = serverFor(engine, { rateLimits: "off" });

  describe.each(Object.entries(LINKS))("that is %s", (_link, { make, use }) => {
    test("works if nothing has happened since", async () => {
      const person = await signUpConfirmed(server());
      expectNoContent(await use(person.client, await make(server(), person)));
    });

    test.each(Object.entries(EVENTS))("opens nothing once %s", async (_event, { happen }) => {
      const person = await signUpConfirmed(server());
      const token = await make(server(), person);
      await happen(server(), person);
      for (const browser of [person.client, server().client(UA.firefoxLinux)])
        expectRefusal(await use(browser, token), 410, "link_expired");
    });

    test("opens nothing once a newer one was asked for, which does", async () => {
      const person = await signUpConfirmed(server());
      const older = await make(server(), person);
      const newer = await make(server(), person);
      expectRefusal(await use(person.client, older), 410, "link_expired");
      expectNoContent(await use(person.client, newer));
    });

    test("keeps working if two-factor authentication is turned on, which doesn't affect it", async () => {
      const person = await signUpConfirmed(server());
      const token = await make(server(), person);
      await turnOnTwoFactor(server(), person);
      expectNoContent(await use(person.client, token));
      const signedIn = await server().client(UA.firefoxLinux).post("/api/session", {
        email: person.email,
        password: PASSWORD,
      });
      expect([202, 401]).toContain(signedIn.status);
    });
  });

  test("to reset the password isn't sent while the account is suspended", async () => {
    const person = await signUpConfirmed(server());
    await operate(suspend)(server(), person);
    const before = await server().outbox.to(person.email);
    expectStatus(202, await server().client().post("/api/password-resets", { email: person.email }));
    expect(await server().outbox.to(person.email)).toEqual(before);
  });

  test.each([
    ["is suspended", async (server: TestServer, person: Person) => () => operate(suspend)(server, person)],
    ["moves to another address", changeOfAddress],
  ])("to reset the password isn't sent if the account %s before it is written", async (_, prepare) => {
    const person = await signUpConfirmed(server());
    const happen = await prepare(server(), person);
    const happened = vi.fn(happen);
    rightBefore(server().latchkey.parts.database, "write", happened);
    expectStatus(202, await server().client().post("/api/password-resets", { email: person.email }));
    const emails = await server().outbox.to(person.email);
    expect(happened).toHaveBeenCalledOnce();
    expect(emails.map(({ subject }) => subject)).not.toContain("Reset your password");
  });

  test.each([
    ["was confirmed", (person: Person) => verifyEmail(server(), person)],
    [
      "has no account any more",
      ({ client }: Person) => client.delete("/api/account", { currentPassword: PASSWORD }),
    ],
  ])("to confirm an address isn't sent if that %s before it is written", async (_, happen) => {
    const person = await signUp(server());
    const before = await server().outbox.to(person.email);
    rightBefore(server().latchkey.parts.database, "write", () => happen(person));
    const late = await person.client.post("/api/account/email/verification");
    expectRefusal(late, 409, "already_verified");
    const since = (await server().outbox.to(person.email)).slice(before.length);
    expect(since.map(({ subject }) => subject)).not.toContain(before[0]?.subject);
  });

  test("of one purpose is none of another: each token at each other route is 410, and lives on", async () => {
    const person = await signUp(server());
    const verify = await server().outbox.tokenFor(person.email, "/confirm-email");
    const reset = await resetToken(server(), person.email);
    const browser = server().client(UA.firefoxLinux);
    const wrong: [string, Promise<Answer>][] = [
      ["verify as reset", browser.put("/api/password-resets", { token: verify, password: OTHER_PASSWORD })],
      ["reset as confirmation", browser.post("/api/email-confirmations", { token: reset })],
      ["reset as preview", browser.post("/api/email-confirmations/preview", { token: reset })],
      ["reset as reversal", browser.post("/api/email-reversals", { token: reset })],
      ["verify as reversal", browser.post("/api/email-reversals", { token: verify })],
      ["reset as report", browser.post("/api/not-me", { token: reset })],
      ["reset as sign-up", browser.put("/api/accounts", { token: reset, password: OTHER_PASSWORD })],
      ["verify as sign-up", browser.put("/api/accounts", { token: verify, password: OTHER_PASSWORD })],
    ];
    for (const [name, answer] of wrong) expect([name, (await answer).status]).toEqual([name, 410]);
    await verifyEmail(server(), person);
    const body = { token: reset, password: OTHER_PASSWORD };
    expectNoContent(await browser.put("/api/password-resets", body));
  });
});
