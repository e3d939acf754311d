import { expect, test } from "vitest";
import { resealSecrets } from "../../src/credentials/reseal.ts";
import { createSeal } from "../../src/credentials/seal.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { codeAt } from "../support/login-methods/totp.ts";
import { Clock, MINUTE } from "../support/requests/clock.ts";
import { expectRefusal } from "../support/requests/expectations.ts";
import {
  expectStatus,
  halfSignIn,
  signInWithCode,
  signUp,
  turnOnTwoFactor,
} from "../support/requests/people.ts";
import { deadPort } from "../support/servers/free-port.ts";
import { startInOwnProcess } from "../support/servers/own-process.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";

const OLD = "1a".repeat(32);
const NEW = "2b".repeat(32);
const STEPS = [`${OLD},${NEW}`, `${NEW},${OLD}`, NEW];
/** More than two pages of second factors. */
const MANY = 450;

describeOnEachEngine("LATCHKEY_SECRET_KEY, while it is being changed", (engine) => {
  test("second factors move from the old key to the new one, which then is enough; without it they are 503", async () => {
    const database = await engine.createDatabase();
    const start = (secretKey: string) => startServer({ engine, database, secretKey });
    let server = await start(OLD);
    const person = await signUp(server);
    const { secret } = await turnOnTwoFactor(server, person);
    const sealedBefore = await database.read("select secret from two_factor");
    await server.close();

    server = await start(NEW);
    const half = await halfSignIn(server, person);
    const code = codeAt(secret, server.clock.now());
    expectRefusal(await half.post("/api/session/two-factor", { code }), 503, "unavailable");
    await server.close();
    expect(await database.read("select secret from two_factor")).toEqual(sealedBefore);

    server = await start(`${NEW},${OLD}`);
    await expect.poll(() => database.read("select secret from two_factor")).not.toEqual(sealedBefore);
    await server.close();

    server = await start(NEW);
    await signInWithCode(server, person, secret);
    expectStatus(200, await server.client().get("/readyz"));
    await server.close();
    await database.drop();
  });

  test("a start with a key that can't decrypt the second factors is one warning, which names no key", async () => {
    const database = await engine.createDatabase();
    const smtpUrl = `smtp://127.0.0.1:${await deadPort()}`;
    const server = await startServer({ engine, database, secretKey: OLD, smtpUrl });
    await turnOnTwoFactor(server, await signUp(server));
    await server.close();
    const warnings: string[][] = [];
    for (const secretKey of [OLD, NEW]) {
      const node = await startInOwnProcess({ databaseUrl: database.url, secretKey, smtpUrl });
      await node.hasSaid("Emails of an earlier run wait to be sent.");
      await node.stop();
      warnings.push(node.log().filter((line) => line.includes("second factors")));
      expect(node.log().join()).not.toContain(secretKey);
    }
    expect(warnings).toEqual([[], [expect.stringContaining('"level":40')]]);
    await database.drop();
  });

  test("nodes that restart one after another accept codes all the while: first with old,new, then with new,old", async () => {
    const database = await engine.createDatabase();
    const clock = new Clock();
    const start = (secretKey: string) => startServer({ engine, database, clock, secretKey });
    const nodes = [await start(OLD), await start(OLD)] as const;
    const person = await signUp(nodes[0]);
    const { secret } = await turnOnTwoFactor(nodes[0], person);
    let running: readonly TestServer[] = nodes;
    for (const secretKey of STEPS) {
      for (const at of nodes.keys()) {
        await running[at]?.close();
        running = running.with(at, await start(secretKey));
        for (const server of running) {
          await resealSecrets(server.latchkey.parts);
          clock.advance(MINUTE);
          const { session } = await signInWithCode(server, person, secret);
          expect(session).toMatchObject({ current: true });
        }
      }
    }
    for (const server of running) await server.close();
    await database.drop();
  });

  test("all of many second factors move, however many pages they fill, and those that can't be read are counted", async () => {
    const database = await engine.createDatabase();
    const old = await startServer({ engine, database, secretKey: OLD });
    const { parts } = old.latchkey;
    const ids = Array.from({ length: MANY }, (_, at) => `acct-${String(at).padStart(4, "0")}`);
    const foreign = createSeal([Buffer.alloc(32, 7)]);
    await parts.database.write(async ({ query }) => {
      await query.insertInto("account").values(ids.map(accountRow)).execute();
      const seals = (at: number) => (at === MANY - 1 ? foreign : parts.seal);
      const rows = ids.map((id, at) => ({
        account_id: id,
        secret: seals(at).close(`secret of ${id}`, id),
        confirmed_at: 1,
        created_at: 1,
      }));
      await query.insertInto("two_factor").values(rows).execute();
    });
    await old.close();
    const both = await startServer({ engine, database, secretKey: `${NEW},${OLD}` });
    const left = async () => {
      const rows = await both.latchkey.parts.database.read.selectFrom("two_factor").selectAll().execute();
      const { seal } = both.latchkey.parts;
      return rows
        .filter(({ secret, account_id }) => seal.keyAge(secret, account_id) !== "the newest key")
        .map(({ account_id }) => account_id);
    };
    // Row by row, in the background: on a busy machine, that takes a while.
    await expect.poll(left, { timeout: 100_000 }).toEqual(ids.slice(-1));
    expect(await resealSecrets(both.latchkey.parts)).toEqual({ resealed: 0, unreadable: 1 });
    await both.close();
    await database.drop();
  });
});

const accountRow = (id: string) => ({
  id,
  email: `${id}@example.test`,
  email_key: `${id}@example.test`,
  email_verified_at: null,
  password_hash: null,
  password_set_at: null,
  password_used_at: null,
  password_blocked_at: null,
  credential_version: 1,
  suspended_at: null,
  owner_since: null,
  created_at: 1,
});
