import type { Kysely } from "kysely";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { Schema } from "../../src/database/schema.ts";
import { prune } from "../../src/sessions/prune.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { addPasskey, passkeySignIn } from "../support/login-methods/passkeys.ts";
import { tokenIn } from "../support/mail/outbox.ts";
import { need } from "../support/requests/answers.ts";
import type { Client } from "../support/requests/client.ts";
import { DAY, MINUTE } from "../support/requests/clock.ts";
import {
  expectNoContent,
  expectRefusal,
  expectSignedIn,
  expectSignedOut,
} from "../support/requests/expectations.ts";
import {
  expectStatus,
  OTHER_PASSWORD,
  type Person,
  resetToken,
  signIn,
  signUp,
  trySignIn,
  verifyEmail,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";

const THIRD_PASSWORD = "olive-Ferry-mantle-91-zebra";

describeOnEachEngine("A thief who has covered their tracks before the owner reports it", (engine) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ engine, rateLimits: "off" });
  });
  afterAll(() => server.close());

  async function owner(): Promise<Person> {
    const person = await signUp(server);
    await verifyEmail(server, person);
    return person;
  }

  /** A thief who has reset the password, and is logged in with the new one. */
  async function withReset() {
    const person = await owner();
    const token = await resetToken(server, person.email);
    const thief = server.client(UA.firefoxWindows);
    expectNoContent(await thief.put("/api/password-resets", { token, password: OTHER_PASSWORD }));
    const link = await linkIn(person, "Your password was reset");
    server.clock.advance(MINUTE);
    await signIn(server, { ...person, password: OTHER_PASSWORD }, thief);
    return { person, thief, link };
  }

  async function linkIn({ email }: Person, subject: string): Promise<string> {
    return tokenIn(await server.outbox.withSubject(email, subject), "/not-me");
  }

  const report = async (token: string) =>
    expectNoContent(await server.client().post("/api/not-me", { token }));

  const methodsOf = async (client: Client) => need(await client.get("/api/account/login-methods"), "methods");

  async function disconnect(client: Client, id: string): Promise<void> {
    server.clock.advance(MINUTE);
    expectNoContent(await client.delete(`/api/account/login-methods/${id}`));
  }

  test("by changing the password that a reset had set is locked out all the same", async () => {
    const { person, thief, link } = await withReset();
    const change = { currentPassword: OTHER_PASSWORD, newPassword: THIRD_PASSWORD };
    expectNoContent(await thief.put("/api/account/password", change));
    await report(link);
    await expectSignedOut(thief, "method_removed");
    const again = await trySignIn(server.client(), { ...person, password: THIRD_PASSWORD });
    expectRefusal(again, 401, "wrong_credentials");
  });

  test("by a reset under an older version, before an upgrade, is locked out all the same", async () => {
    const { person, thief, link } = await withReset();
    await server.latchkey.parts.database.write(({ query }) =>
      query
        .updateTable("account")
        .set({ password_added_at: null })
        .where("email_key", "=", person.email)
        .execute(),
    );
    await report(link);
    await expectSignedOut(thief, "method_removed");
    const again = await trySignIn(server.client(), { ...person, password: OTHER_PASSWORD });
    expectRefusal(again, 401, "wrong_credentials");
  });

  test("by replacing the password that a reset had set with a passkey is locked out along with that passkey", async () => {
    const { thief, link } = await withReset();
    const passkey = await addPasskey(server, thief);
    await disconnect(thief, "password");
    await report(link);
    await expectSignedOut(thief, "method_removed");
    expectRefusal(await passkeySignIn(server.client(), passkey), 401, "wrong_passkey");
  });

  test("by disconnecting the method in between is followed to the next one, and to the session that it left", async () => {
    const person = await owner();
    const { client: thief } = await signIn(server, person, UA.firefoxWindows);
    const link = await linkIn(person, "New sign-in: Firefox on Windows");
    const first = await addPasskey(server, thief);
    const [between] = (await methodsOf(thief)).filter(({ kind }) => kind === "passkey");
    const elsewhere = server.client(UA.firefoxLinux);
    expectStatus(201, await passkeySignIn(elsewhere, first));
    const second = await addPasskey(server, elsewhere);
    await disconnect(elsewhere, between?.id ?? "");
    await report(link);
    await expectSignedOut(thief, "reported");
    await expectSignedOut(elsewhere, "method_removed");
    expectRefusal(await passkeySignIn(server.client(), second), 401, "wrong_passkey");
    await expectSignedIn(person.client);
  });

  test("is followed to a method that was added by a node whose clock is behind", async () => {
    const person = await owner();
    const { client: thief } = await signIn(server, person, UA.firefoxWindows);
    const link = await linkIn(person, "New sign-in: Firefox on Windows");
    const first = await addPasskey(server, thief);
    server.clock.advance(-2_000);
    const elsewhere = server.client(UA.firefoxLinux);
    expectStatus(201, await passkeySignIn(elsewhere, first));
    const second = await addPasskey(server, elsewhere);
    server.clock.advance(2_000);
    await report(link);
    expectRefusal(await passkeySignIn(server.client(), second), 401, "wrong_passkey");
  });

  test("costs the owner nothing that was added after the owner's own reset", async () => {
    const { person, thief, link } = await withReset();
    const stolen = await addPasskey(server, thief);
    const chosen = { token: await resetToken(server, person.email), password: THIRD_PASSWORD };
    server.clock.advance(MINUTE);
    expectNoContent(await server.client().put("/api/password-resets", chosen));
    const { client } = await signIn(server, { ...person, password: THIRD_PASSWORD }, UA.safariIphone);
    const own = await addPasskey(server, client);
    await report(link);
    expectRefusal(await passkeySignIn(server.client(), stolen), 401, "wrong_passkey");
    await expectSignedIn(client);
    expectStatus(201, await passkeySignIn(server.client(UA.firefoxLinux), own));
    expect((await methodsOf(client)).map(({ kind }) => kind)).toEqual(["password", "passkey"]);
  });

  test("is forgotten after 90 days, in batches of rows, though all passwords have one id", async () => {
    const { thief } = await withReset();
    await addPasskey(server, thief);
    await disconnect(thief, "password");
    const { parts } = server.latchkey;
    await parts.database.write(({ query }) => plantRemoved(query, server.clock.now()));
    server.clock.advance(91 * DAY);
    const write = vi.spyOn(parts.database, "write");
    await prune(parts, server.clock.now());
    const batches = await Promise.all(write.mock.results.map(({ value }) => value));
    write.mockRestore();
    expect(Math.max(...batches.filter((rows) => typeof rows === "number"))).toBeLessThanOrEqual(200);
    expect(await server.database.read("select id from removed_method")).toEqual([]);
  });
});

/** More than a batch, each for an account of its own. */
async function plantRemoved(query: Kysely<Schema>, now: number): Promise<void> {
  const ids = Array.from({ length: 300 }, (_, at) => `account-${at}`);
  const account = { credential_version: 1, created_at: now };
  const accounts = ids.map((id) => ({ ...account, id, email: `${id}@example.test`, email_key: id }));
  await query.insertInto("account").values(accounts).execute();
  const removed = { id: "password", created_at: now, removed_at: now };
  const rows = ids.map((account_id) => ({ ...removed, account_id }));
  await query.insertInto("removed_method").values(rows).execute();
}
