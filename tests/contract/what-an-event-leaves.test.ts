import { expect, test } from "vitest";
import { endEveryone } from "../../src/operator.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { expectNoContent, expectRefusal, expectSignedOut } from "../support/requests/expectations.ts";
import {
  expectStatus,
  freshEmail,
  halfSignIn,
  PASSWORD,
  type Person,
  signIn,
  signUp,
  turnOnTwoFactor,
  verifyEmail,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor, type TestServer } from "../support/servers/server.ts";

const SECOND_STEP = "/api/session/two-factor";

/** The other side of "Which event ends which sessions": what each event doesn't end. */
describeOnEachEngine("What belongs to an account besides its sessions", (engine) => {
  const server = serverFor(engine, { rateLimits: "off" });

  test("a pending sign-in stays while other devices come and go, and a change of the address is requested", async () => {
    const person = await signUp(server());
    const { recoveryCodes } = await turnOnTwoFactor(server(), person);
    const finish = async (userAgent: string, at: number) => {
      const client = await halfSignIn(server(), person, userAgent);
      const answer = await client.post(SECOND_STEP, { recoveryCode: recoveryCodes[at] });
      return { client, id: expectStatus(201, answer).body.session?.id };
    };
    const waiting = await halfSignIn(server(), person, UA.safariIphone);

    const change = { email: freshEmail("new"), currentPassword: PASSWORD };
    expectStatus(202, await person.client.put("/api/account/email", change));
    const onItsRow = await finish(UA.firefoxWindows, 0);
    expectNoContent(await person.client.delete(`/api/sessions/${onItsRow.id}`));
    const replacing = await finish(UA.chromeMac, 1);
    await expectSignedOut(person.client, "replaced");
    const stranger = await signUp(server());
    expectStatus(201, await replacing.client.post("/api/session", { ...stranger, password: PASSWORD }));
    const itself = await finish(UA.edgeWindows, 2);
    expectNoContent(await itself.client.delete("/api/session"));

    expectStatus(201, await waiting.post(SECOND_STEP, { recoveryCode: recoveryCodes[3] }));
  });

  const ENDED_FROM_OUTSIDE: Record<string, (server: TestServer, person: Person) => Promise<unknown>> = {
    "the app ends every session": ({ latchkey }, { account }) => latchkey.sessions.endAll(account.id),
    "an administrator ends everybody's": ({ latchkey, clock }) => endEveryone(latchkey.parts, clock.now()),
  };

  test.each(Object.entries(ENDED_FROM_OUTSIDE))("a pending sign-in ends if %s", async (_name, end) => {
    const person = await signUp(server());
    const { recoveryCodes } = await turnOnTwoFactor(server(), person);
    const waiting = await halfSignIn(server(), person, UA.safariIphone);
    await end(server(), person);
    const answer = await waiting.post(SECOND_STEP, { recoveryCode: recoveryCodes[0] });
    expectRefusal(answer, 401, "sign_in_expired");
  });

  test("an open page stays open, and hears of a change on another device that ends no session", async () => {
    const person = await signUp(server());
    const other = await signIn(server(), person, UA.firefoxWindows);
    const live = await person.client.live();
    await turnOnTwoFactor(server(), { ...person, client: other.client });
    expect((await live.next()).event).toBe("sessions-changed");
    live.close();
  });

  test("an emailed link stays valid whichever sessions end, if the password and the address stay", async () => {
    const person = await signUp(server());
    const { latchkey, outbox } = server();
    const other = await signIn(server(), person, UA.firefoxWindows);
    const notMe = await outbox.tokenFor(person.email, "/not-me");
    expectNoContent(await server().client().post("/api/not-me", { token: notMe }));
    await expectSignedOut(other.client, "reported");
    const onItsRow = await signIn(server(), person, UA.safariIphone);
    expectNoContent(await person.client.delete(`/api/sessions/${onItsRow.session.id}`));
    const again = await signIn(server(), person, UA.chromeMac);
    await expectSignedOut(person.client, "replaced");
    const over = await signIn(server(), person, again.client);
    expectStatus(200, await over.client.delete("/api/sessions"));
    expectNoContent(await over.client.delete("/api/session"));
    await signIn(server(), person, UA.edgeWindows);
    expect(await latchkey.sessions.endAll(person.account.id)).toBe(1);
    await verifyEmail(server(), person);
  });
});
