import { afterAll, beforeAll, expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { addPasskey, passkeySignIn } from "../support/login-methods/passkeys.ts";
import type { SoftwareAuthenticator } from "../support/login-methods/software-authenticator.ts";
import { need } from "../support/requests/answers.ts";
import type { Client } from "../support/requests/client.ts";
import { DAY, MINUTE } from "../support/requests/clock.ts";
import { expectNoContent, expectRefusal } from "../support/requests/expectations.ts";
import {
  activityOf,
  expectStatus,
  freshEmail,
  OTHER_PASSWORD,
  PASSWORD,
  type Person,
  signIn,
  signUp,
  verifyEmail,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";

describeOnEachEngine("Whoever keeps their address", (engine) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ engine, rateLimits: "off" });
  });
  afterAll(() => server.close());

  /** An owner with a passkey, and a thief in another browser, who has added one long before going on. */
  async function withThief() {
    const owner = await signUp(server);
    await verifyEmail(server, owner);
    const ownPasskey = await addPasskey(server, owner.client);
    server.clock.advance(DAY);
    const { client: thief } = await signIn(server, owner, UA.firefoxWindows);
    const passkey = await addPasskey(server, thief);
    server.clock.advance(DAY);
    return { owner, ownPasskey, thief, passkey };
  }

  async function ask(asking: Client): Promise<string> {
    const email = freshEmail("thief");
    expectStatus(202, await asking.put("/api/account/email", { email, currentPassword: PASSWORD }));
    return server.outbox.tokenFor(email, "/confirm-email");
  }

  const confirm = async (client: Client, token: string) =>
    expectNoContent(await client.post("/api/email-confirmations", { token }));

  async function keepAddress({ email }: Person): Promise<void> {
    const token = await server.outbox.tokenFor(email, "/keep-email");
    expectNoContent(await server.client().post("/api/email-reversals", { token }));
  }

  const expectUseless = async (passkey: SoftwareAuthenticator) =>
    expectRefusal(await passkeySignIn(server.client(), passkey), 401, "wrong_passkey");

  test("is rid of the login methods that the browser which asked for the change had added; their own stay", async () => {
    const { owner, ownPasskey, thief, passkey } = await withThief();
    await confirm(thief, await ask(thief));
    await keepAddress(owner);
    await expectUseless(passkey);
    const again = server.client(UA.safariMac);
    expectStatus(201, await passkeySignIn(again, ownPasskey));
    const methods = need(await again.get("/api/account/login-methods"), "methods");
    expect(methods.map(({ kind }) => kind)).toEqual(["password", "passkey"]);
    const removed = (await activityOf(again)).filter(({ kind }) => kind === "method_removed");
    expect(removed.map(({ detail }) => detail.method)).toEqual(["passkey"]);
  });

  test("is rid of those too that came from an earlier session of it, or by way of such a method", async () => {
    const { owner, thief, passkey } = await withThief();
    const byPasskey = server.client(UA.edgeWindows);
    expectStatus(201, await passkeySignIn(byPasskey, passkey));
    const further = await addPasskey(server, byPasskey);
    await signIn(server, owner, thief);
    await confirm(thief, await ask(thief));
    await keepAddress(owner);
    for (const one of [passkey, further]) await expectUseless(one);
  });

  test("is rid of those of the browser that confirmed the change, where another one had asked for it", async () => {
    const { owner, thief, passkey } = await withThief();
    const { client: second } = await signIn(server, owner, UA.edgeWindows);
    const further = await addPasskey(server, second);
    server.clock.advance(MINUTE);
    await confirm(second, await ask(thief));
    await keepAddress(owner);
    for (const one of [passkey, further]) await expectUseless(one);
  });

  test("is rid of those of a browser that has changed the address once more since", async () => {
    const { owner, thief, passkey } = await withThief();
    const { client: second } = await signIn(server, owner, UA.edgeWindows);
    const further = await addPasskey(server, second);
    server.clock.advance(MINUTE);
    await confirm(second, await ask(thief));
    server.clock.advance(MINUTE);
    await confirm(second, await ask(second));
    await keepAddress(owner);
    for (const one of [passkey, further]) await expectUseless(one);
  });

  test("loses none by cancelling a change that was never confirmed: it ends no session either", async () => {
    const { owner, thief, passkey } = await withThief();
    await ask(thief);
    await keepAddress(owner);
    expectStatus(201, await passkeySignIn(server.client(), passkey));
  });

  test("is rid of a first password that the thief has set, and chooses one of their own", async () => {
    const owner = await signUp(server);
    await verifyEmail(server, owner);
    const ownPasskey = await addPasskey(server, owner.client);
    expectNoContent(await owner.client.delete("/api/account/login-methods/password"));
    const thief = server.client(UA.firefoxWindows);
    expectStatus(201, await passkeySignIn(thief, ownPasskey));
    expectNoContent(await thief.put("/api/account/password", { newPassword: PASSWORD }));
    server.clock.advance(MINUTE);
    await confirm(thief, await ask(thief));
    await keepAddress(owner);
    const token = await server.outbox.tokenFor(owner.email, "/reset-password");
    expectNoContent(await server.client().put("/api/password-resets", { token, password: OTHER_PASSWORD }));
    await signIn(server, { ...owner, password: OTHER_PASSWORD }, UA.safariMac);
    expectStatus(201, await passkeySignIn(server.client(), ownPasskey));
  });
});
