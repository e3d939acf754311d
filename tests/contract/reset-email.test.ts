import { expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { tokenIn } from "../support/mail/outbox.ts";
import { expectNoContent } from "../support/requests/expectations.ts";
import {
  changeAddress,
  expectStatus,
  freshEmail,
  OTHER_PASSWORD,
  type Person,
  signIn,
  signUp,
  signUpConfirmed,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor, type TestServer } from "../support/servers/server.ts";

const IGNORE = "ignore this email";

/** What an owner can do in one of our emails so that the link for a new password is sent. */
const RESCUES: Record<string, (server: TestServer) => Promise<Person>> = {
  'said "This wasn\'t me"': async (server) => {
    const owner = await signUpConfirmed(server);
    await signIn(server, owner, UA.firefoxWindows);
    const token = await server.outbox.tokenFor(owner.email, "/not-me");
    expectNoContent(await server.client().post("/api/not-me", { token }));
    return owner;
  },
  "took the address back": async (server) => {
    const owner = await signUpConfirmed(server);
    await changeAddress(server, owner);
    const token = await server.outbox.tokenFor(owner.email, "/keep-email");
    expectNoContent(await server.client().post("/api/email-reversals", { token }));
    return owner;
  },
  'said "I didn\'t create it"': async (server) => {
    const stranger = await signUp(server);
    const token = await server.outbox.tokenFor(stranger.email, "/confirm-email");
    expectNoContent(await server.client().post("/api/email-confirmations", { token, mine: false }));
    return stranger;
  },
};

describeOnEachEngine("The email with the link for a new password", (engine) => {
  const server = serverFor(engine);

  test("may be ignored by someone who didn't ask for it", async () => {
    const { email } = await signUp(server());
    expectStatus(202, await server().client().post("/api/password-resets", { email }));
    expect((await server().outbox.withLink(email, "/reset-password")).text).toContain(IGNORE);
  });

  test.each(Object.entries(RESCUES))("asks someone who %s to act now", async (_, rescue) => {
    const { email } = await rescue(server());
    const { text } = await server().outbox.withLink(email, "/reset-password");
    expect(text).toContain("choose a new password now");
    expect(text).not.toContain(IGNORE);
  });

  test("says that the account has another address by now, and how to get one's own back", async () => {
    const owner = await signUpConfirmed(server());
    const thief = await signIn(server(), owner, UA.firefoxWindows);
    const token = await server().outbox.tokenFor(owner.email, "/not-me");
    const moved = freshEmail("thief");
    await changeAddress(server(), thief, moved);
    expectNoContent(await server().client().post("/api/not-me", { token }));
    const first = await server().outbox.withLink(owner.email, "/reset-password");
    expect(first.text).toContain(`The address of your account was changed to ${moved}`);
    const keep = await server().outbox.tokenFor(owner.email, "/keep-email");
    expectNoContent(await server().client().post("/api/email-reversals", { token: keep }));
    const again = await server().outbox.withLink(owner.email, "/reset-password", first);
    expect(again.text).not.toContain(moved);
    const chosen = { token: tokenIn(again, "/reset-password"), password: OTHER_PASSWORD };
    expectNoContent(await server().client().put("/api/password-resets", chosen));
    await signIn(server(), { ...owner, password: OTHER_PASSWORD }, UA.firefoxLinux);
  });
});
