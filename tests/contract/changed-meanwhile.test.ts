import { expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { addPasskey } from "../support/login-methods/passkeys.ts";
import type { Answer } from "../support/requests/answers.ts";
import { expectNoContent, expectRefusal } from "../support/requests/expectations.ts";
import {
  expectStatus,
  freshEmail,
  OTHER_PASSWORD,
  PASSWORD,
  type Person,
  resetToken,
  signUp,
  signUpConfirmed,
  trySignIn,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor, type TestServer } from "../support/servers/server.ts";

/** An account, the address to sign in with, and what happens to it. */
type Scene = { email: string; happen: () => Promise<Answer> };

async function askForChange(
  server: TestServer,
  { client }: Person,
): Promise<{ email: string; token: string }> {
  const email = freshEmail("new");
  expectStatus(202, await client.put("/api/account/email", { email, currentPassword: PASSWORD }));
  return { email, token: await server.outbox.tokenFor(email, "/confirm-email") };
}

const SCENES: Record<string, (server: TestServer) => Promise<Scene>> = {
  "is changed": async (server) => {
    const { email, client } = await signUp(server);
    const passwords = { currentPassword: PASSWORD, newPassword: OTHER_PASSWORD };
    return { email, happen: () => client.put("/api/account/password", passwords) };
  },
  "is reset": async (server) => {
    const { email, client } = await signUp(server);
    const token = await resetToken(server, email);
    return { email, happen: () => client.put("/api/password-resets", { token, password: OTHER_PASSWORD }) };
  },
  "is disconnected": async (server) => {
    const { email, client } = await signUpConfirmed(server);
    await addPasskey(server, client);
    return { email, happen: () => client.delete("/api/account/login-methods/password") };
  },
  "has its account moved to another address": async (server) => {
    const person = await signUp(server);
    const { token } = await askForChange(server, person);
    return { email: person.email, happen: () => person.client.post("/api/email-confirmations", { token }) };
  },
  "has its account taken back by an earlier address": async (server) => {
    const person = await signUpConfirmed(server);
    const { email, token: confirm } = await askForChange(server, person);
    expectNoContent(await person.client.post("/api/email-confirmations", { token: confirm }));
    const token = await server.outbox.tokenFor(person.email, "/keep-email");
    return { email, happen: () => server.client().post("/api/email-reversals", { token }) };
  },
  "is disowned by whose address it is": async (server) => {
    const { email } = await signUp(server);
    const token = await server.outbox.tokenFor(email, "/confirm-email");
    const isNotMine = { token, mine: false };
    return { email, happen: () => server.client().post("/api/email-confirmations", isNotMine) };
  },
};

describeOnEachEngine("A password that is right when it is checked", (engine) => {
  const server = serverFor(engine, { rateLimits: "off" });

  /** The sign-in goes on, with what it has checked, once `happen` is done. */
  async function signInWhile(happen: () => Promise<Answer>, email: string): Promise<Answer> {
    const { passwords } = server().latchkey.parts;
    const { verify } = passwords;
    Object.assign(passwords, {
      async verify(...asked: Parameters<typeof verify>) {
        Object.assign(passwords, { verify });
        const checked = await verify(...asked);
        expect(checked.right).toBe(true);
        expectNoContent(await happen());
        return checked;
      },
    });
    return trySignIn(server().client(UA.firefoxWindows), { email, password: PASSWORD });
  }

  test.each(Object.entries(SCENES))(
    "opens nothing where it %s before the session begins",
    async (_, prepare) => {
      const { email, happen } = await prepare(server());
      expectRefusal(await signInWhile(happen, email), 401, "wrong_credentials");
    },
  );
});
