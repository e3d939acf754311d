import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findForOperator, suspend } from "../../src/operator.ts";
import { Sites } from "../login-methods/ways.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { addPasskey, signInOptions } from "../support/login-methods/passkeys.ts";
import { SoftwareAuthenticator } from "../support/login-methods/software-authenticator.ts";
import { need } from "../support/requests/answers.ts";
import { expectNoContent, expectRefusal } from "../support/requests/expectations.ts";
import {
  expectStatus,
  OTHER_PASSWORD,
  PASSWORD,
  type Person,
  signIn,
  signUp,
  signUpConfirmed,
  trySignIn,
  turnOnTwoFactor,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";

const METHODS = "/api/account/login-methods";

/** What was proved is looked at before the transaction that opens the session; here something happens in between. */
describeOnEachEngine("A sign-in whose account changes before its session is opened", (engine) => {
  let server: TestServer;
  let sites: Sites;
  beforeAll(async () => {
    sites = await Sites.start();
    server = await startServer({ engine, rateLimits: "off", oidc: sites.options });
  });
  afterAll(async () => {
    await server.close();
    sites.stop();
  });

  /** Does it right before or after the transaction of this number from now on. */
  async function meanwhile(
    when: "before" | "after",
    transaction: number,
    does: () => Promise<unknown>,
  ): Promise<void> {
    // Emails that are still on their way have transactions, too.
    await server.outbox.all();
    const { database } = server.latchkey.parts;
    const { write } = database;
    let begun = 0;
    Object.assign(database, {
      async write(work: Parameters<typeof write>[0]) {
        begun += 1;
        if (begun < transaction) return write(work);
        Object.assign(database, { write });
        if (when === "before") await does();
        const done = await write(work);
        if (when === "after") await does();
        return done;
      },
    });
  }

  const changePassword = ({ client }: Person) =>
    client
      .put("/api/account/password", { currentPassword: PASSWORD, newPassword: OTHER_PASSWORD })
      .then(expectNoContent);

  test("is judged by the new password", async () => {
    const person = await signUp(server);
    await meanwhile("before", 1, () => changePassword(person));
    expectRefusal(await trySignIn(server.client(UA.firefoxWindows), person), 401, "wrong_credentials");
    await signIn(server, { ...person, password: OTHER_PASSWORD }, UA.firefoxWindows);
  });

  test("is asked for the second factor that was turned on", async () => {
    const person = await signUp(server);
    await meanwhile("before", 1, () => turnOnTwoFactor(server, person));
    const client = server.client(UA.firefoxWindows);
    expectStatus(202, await trySignIn(client, person));
    expectRefusal(await client.get("/api/session"), 401, "signed_out");
  });

  test("finds no account where that was deleted", async () => {
    const person = await signUp(server);
    const close = () => person.client.delete("/api/account", { currentPassword: PASSWORD });
    await meanwhile("before", 1, () => close().then(expectNoContent));
    expectRefusal(await trySignIn(server.client(UA.firefoxWindows), person), 401, "wrong_credentials");
  });

  test("is refused where that was suspended", async () => {
    const person = await signUp(server);
    const { parts } = server.latchkey;
    const found = await findForOperator(parts, person.email);
    if (!found.ok) throw new Error("The account isn't there.");
    await meanwhile("before", 1, () => suspend(parts, found.account, server.clock.now()));
    for (let time = 0; time < 2; time++) {
      const client = server.client(UA.firefoxWindows);
      expectRefusal(await trySignIn(client, person), 403, "account_suspended");
      expectRefusal(await client.get("/api/session"), 401, "signed_out");
    }
    const wrong = { ...person, password: OTHER_PASSWORD };
    expectRefusal(await trySignIn(server.client(), wrong), 401, "wrong_credentials");
  });

  /** Someone with another login method beside the password, and how to disconnect it. */
  async function withMethod(kind: string, add: (person: Person) => Promise<unknown>) {
    const person = await signUpConfirmed(server);
    await add(person);
    const methods = need(await person.client.get(METHODS), "methods");
    const path = `${METHODS}/${methods.find((method) => method.kind === kind)?.id}`;
    return { person, disconnect: () => person.client.delete(path).then(expectNoContent) };
  }

  // The second transaction notes that the passkey was used, the third one opens the session.
  test.each([
    ["before", 2],
    ["after", 2],
    ["before", 3],
  ] as const)(
    "isn't opened by a passkey that was disconnected %s transaction %i",
    async (when, transaction) => {
      const authenticator = new SoftwareAuthenticator(server.baseUrl);
      const { disconnect } = await withMethod("passkey", ({ client }) =>
        addPasskey(server, client, authenticator),
      );
      const client = server.client(UA.firefoxWindows);
      const passkey = authenticator.get(await signInOptions(client));
      await meanwhile(when, transaction, disconnect);
      expectRefusal(await client.post("/api/session/passkey", { passkey }), 401, "wrong_passkey");
    },
  );

  test("isn't opened by a site that was disconnected", async () => {
    const sub = randomBytes(8).toString("hex");
    const { disconnect } = await withMethod("oidc", ({ client }) => sites.connect(client, "plain", sub));
    const client = server.client(UA.firefoxWindows);
    await meanwhile("before", 3, disconnect);
    expect(await sites.signIn(client, "plain", sub)).toContain("error=provider_failed");
    expectRefusal(await client.get("/api/session"), 401, "signed_out");
  });
});
