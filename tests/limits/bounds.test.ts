import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { makeId } from "../../src/sessions/token.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import type { Client } from "../support/requests/client.ts";
import { DAY, HOUR, SECOND } from "../support/requests/clock.ts";
import {
  expectNoContent,
  expectSignedIn,
  expectSignedOut,
  expectTooMany,
  expectTooManyAfterProof,
} from "../support/requests/expectations.ts";
import {
  activityOf,
  type Device,
  expectStatus,
  freshEmail,
  listOf,
  PASSWORD,
  type Person,
  signIn,
  signUp,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor } from "../support/servers/server.ts";

const MOST = 100;

describeOnEachEngine("An account with one sign-in after another", (engine) => {
  const server = serverFor(engine);

  test("has 100 live sessions and knows 100 browsers at most: the ones left alone for longest go", async () => {
    const { clock } = server();
    const expired = await signUp(server(), { userAgent: UA.script });
    clock.advance(30 * DAY);
    const bystander = await signUp(server());
    clock.advance(SECOND);
    const person = { ...expired, ...(await signIn(server(), expired, UA.chromeMac)) };
    clock.advance(SECOND);
    const oldest = await signIn(server(), person, UA.script);
    clock.advance(SECOND);
    const next = await signIn(server(), person, UA.script);
    await copySession(next, MOST - 3);
    expect(await listOf(next.client)).toHaveLength(MOST);

    clock.advance(HOUR);
    await expectSignedIn(person.client);
    await server().latchkey.parts.lastUsed.flush(clock.now(), true);
    const laterBystander = await signUp(server());
    const newest = await signIn(server(), person, UA.script);
    await expectSignedOut(oldest.client, "replaced");
    await expectSignedIn(next.client);
    const listed = await listOf(newest.client);
    expect(listed).toHaveLength(MOST);
    expect(listed[0]).toMatchObject({ current: true });
    expect((await activityOf(newest.client)).find(({ kind }) => kind === "session_ended")).toMatchObject({
      label: "Unknown device",
      detail: { reason: "replaced", by: "Unknown device" },
    });

    await expectSignedOut(expired.client, "expired");
    const known = await devicesOf(person);
    expect(known).toHaveLength(MOST);
    expect(Number(known.at(-1)?.last_seen_at)).toBe(Date.parse(oldest.session.createdAt));
    expect(Number(known[0]?.last_seen_at)).toBeGreaterThan(clock.now() - HOUR / 2);
    for (const other of [bystander, laterBystander]) {
      await expectSignedIn(other.client);
      expect(await devicesOf(other)).toHaveLength(1);
    }
  });

  const devicesOf = ({ account }: Person) =>
    server().database.read(
      `select last_seen_at from known_device where account_id = '${account.id}' order by last_seen_at desc`,
    );

  /** As if someone had signed in this often in new browsers, without the seconds that it takes. */
  async function copySession({ session }: Device, times: number): Promise<void> {
    await server().latchkey.parts.database.write(async ({ query }) => {
      const found = query.selectFrom("session").selectAll().where("id", "=", session.id);
      const row = await found.executeTakeFirstOrThrow();
      const fresh = () => ({ token_hash: randomBytes(32), id: makeId(), device_hash: randomBytes(32) });
      const copies = Array.from({ length: times }, () => ({ ...row, ...fresh() }));
      await query.insertInto("session").values(copies).execute();
      const { account_id, last_used_at: last_seen_at } = row;
      const devices = copies.map(({ device_hash }) => ({ account_id, device_hash, last_seen_at }));
      await query.insertInto("known_device").values(devices).execute();
    });
  }

  test("keeps an expired session as expired: the limit on live ones doesn't end it", async () => {
    const person = await signUp(server());
    const old = await signIn(server(), person, UA.script);
    server().clock.advance(30 * DAY);
    await signIn(server(), person, UA.script);
    await expectSignedOut(old.client, "expired");
  });
});

describeOnEachEngine("Emails that others request for someone's address", (engine) => {
  const server = serverFor(engine);

  async function askAs(times: number, email: string): Promise<number[]> {
    const statuses: number[] = [];
    for (let time = 0; time < times; time += 1) {
      const { client } = await signUp(server());
      const answer = await client.put("/api/account/email", { email, currentPassword: PASSWORD });
      if (answer.status === 429) expectTooManyAfterProof(answer);
      statuses.push(answer.status);
    }
    return statuses;
  }

  test("count by that address, whoever asks, and tell nobody whether it has an account", async () => {
    const victim = await signUp(server());
    const asked = await askAs(7, victim.email);
    expect(asked).toEqual([202, 202, 202, 202, 202, 429, 429]);
    expect(await askAs(7, freshEmail())).toEqual(asked);
    expect(await server().outbox.waitFor(victim.email, 6)).toHaveLength(6);
  });

  test("for a change of address also count by the account that asks, over all the addresses that it names", async () => {
    const { client } = await signUp(server());
    const ask = () => client.put("/api/account/email", { email: freshEmail(), currentPassword: PASSWORD });
    for (let time = 0; time < 5; time += 1) expectStatus(202, await ask());
    expectTooManyAfterProof(await ask());
  });

  test("to reset its password count by that address, however it is spelled, whether it has an account or not", async () => {
    const { email } = await signUp(server());
    for (const address of [email, freshEmail()]) {
      const ask = (written: string) => server().client().post("/api/password-resets", { email: written });
      for (let time = 0; time < 5; time += 1) expectStatus(202, await ask(address));
      expectTooMany(await ask(address));
      expectTooMany(await ask(address.toUpperCase()));
    }
    expect(await server().outbox.waitFor(email, 6)).toHaveLength(6);
  });

  test("to reset its password leave the owner's own requests alone: a browser that the account knows is counted separately", async () => {
    const { email, client } = await signUp(server());
    const ask = (browser: Client) => browser.post("/api/password-resets", { email });
    const stranger = server().client();
    for (let time = 0; time < 5; time += 1) expectStatus(202, await ask(stranger));
    expectTooMany(await ask(stranger));
    for (let time = 0; time < 5; time += 1) expectStatus(202, await ask(client));
    expectTooMany(await ask(client));
    const { client: other } = await signUp(server());
    expectTooMany(await ask(other));
  });

  test("to confirm it count by that address, over every account that is created with it", async () => {
    const email = freshEmail();
    const { client } = await signUp(server(), { email });
    const ask = (browser: Client) => browser.post("/api/account/email/verification");
    for (let time = 0; time < 5; time += 1) expectStatus(202, await ask(client));
    expectTooMany(await ask(client));
    expectNoContent(await client.delete("/api/account", { currentPassword: PASSWORD }));
    const again = await signUp(server(), { email: email.toUpperCase() });
    expectTooMany(await ask(again.client));
  });
});
