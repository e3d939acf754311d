import { createHook } from "node:async_hooks";
import { argon2Sync, createHash } from "node:crypto";
import { expect, test } from "vitest";
import { allAtRest } from "../support/databases/at-rest.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { codeAt } from "../support/login-methods/totp.ts";
import { need } from "../support/requests/answers.ts";
import { expectRefusal } from "../support/requests/expectations.ts";
import {
  expectStatus,
  halfSignIn,
  type Person,
  signUp,
  turnOnTwoFactor,
} from "../support/requests/people.ts";
import { serverFor } from "../support/servers/server.ts";

const ROUTE = "/api/session/two-factor";
const FAST_HASHES = ["sha256", "sha512", "sha1", "md5"];

const lettersOf = (code: string) => code.replaceAll("-", "");

/** As version 0.1.0 stored codes. */
const oldHash = (accountId: string, code: string) =>
  createHash("sha256")
    .update(`${accountId}:${lettersOf(code)}`)
    .digest();

describeOnEachEngine("A recovery code at rest", (engine) => {
  const server = serverFor(engine, { rateLimits: "off" });

  async function protectedPerson() {
    const person = await signUp(server());
    return { person, ...(await turnOnTwoFactor(server(), person)) };
  }

  const storedOf = ({ account }: Person) =>
    server()
      .latchkey.parts.database.read.selectFrom("recovery_code")
      .select("code_hash")
      .where("account_id", "=", account.id)
      .execute();

  async function spend(person: Person, recoveryCode: string) {
    const half = await halfSignIn(server(), person);
    return half.post(ROUTE, { recoveryCode });
  }

  test("is counted while it works, and its owner can ask how many are left", async () => {
    const { person, recoveryCodes } = await protectedPerson();
    const left = async ({ client }: Pick<Person, "client">) =>
      JSON.parse(expectStatus(200, await client.get("/api/account/two-factor")).text);
    expect(await left(person)).toEqual({ recoveryCodesLeft: 10 });
    const client = await halfSignIn(server(), person);
    expectStatus(201, await client.post(ROUTE, { recoveryCode: recoveryCodes[0] }));
    expect(await left({ client })).toEqual({ recoveryCodesLeft: 9 });
    expect(await left(await signUp(server()))).toEqual({ recoveryCodesLeft: 0 });
  });

  test("is found by no fast hash of it, however it is spelled", async () => {
    const { person, recoveryCodes } = await protectedPerson();
    const stored = await allAtRest(server().database);
    const spelled = recoveryCodes.flatMap((code) => [code, lettersOf(code), code.toUpperCase()]);
    const texts = spelled.flatMap((code) => [
      code,
      `${person.account.id}:${code}`,
      `${code}:${person.account.id}`,
    ]);
    const digests = texts.flatMap((text) =>
      FAST_HASHES.map((kind) => createHash(kind).update(text).digest("hex")),
    );
    expect(digests.filter((digest) => stored.includes(digest))).toEqual([]);
    expect(spelled.filter((code) => stored.includes(code))).toEqual([]);
  });

  test("is stored by argon2id at the cost of a password, with a salt that the account's codes share", async () => {
    const [{ person, recoveryCodes }, other] = [await protectedPerson(), await protectedPerson()];
    const stored = (await storedOf(person)).map((row) => Buffer.from(row.code_hash));
    const [salt = Buffer.alloc(0)] = stored.map((bytes) => bytes.subarray(0, 16));
    const made = recoveryCodes.map((code) => {
      const cost = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 };
      const digest = argon2Sync("argon2id", { message: lettersOf(code), nonce: salt, ...cost });
      return Buffer.concat([salt, digest]).toString("hex");
    });
    expect(stored.map((bytes) => bytes.toString("hex")).sort()).toEqual(made.sort());
    const salts = (await storedOf(other.person)).map((row) => Buffer.from(row.code_hash).subarray(0, 16));
    expect(salts.filter((one) => one.equals(salt))).toEqual([]);
  });

  test("is created only if the code that turns two-factor authentication on is right", async () => {
    const { client, password } = await signUp(server());
    const turnOn = (code: string) => client.put("/api/account/two-factor", { code });
    let hashes = 0;
    const counting = createHook({
      init(_id, type) {
        if (type === "ARGON2REQUEST") hashes += 1;
      },
    }).enable();
    expectRefusal(await turnOn("000000"), 422, "wrong_code");
    const begun = await client.post("/api/account/two-factor", { currentPassword: password });
    const secret = need(expectStatus(201, begun), "secret");
    expect(hashes).toBe(1);
    const now = server().clock.now();
    expectRefusal(await turnOn(codeAt(secret, now, 5)), 422, "wrong_code");
    expect(hashes).toBe(1);
    expectStatus(200, await turnOn(codeAt(secret, now)));
    expect(hashes).toBe(11);
    counting.disable();
  });

  test("has a new salt in each set of codes", async () => {
    const { person, recoveryCodes } = await protectedPerson();
    const saltsOf = async () =>
      (await storedOf(person)).map((row) => Buffer.from(row.code_hash).subarray(0, 16).toString("hex"));
    const before = await saltsOf();
    const body = { currentPassword: person.password, recoveryCode: recoveryCodes[0] };
    expectStatus(200, await person.client.post("/api/account/two-factor/recovery-codes", body));
    const after = await saltsOf();
    expect(after).toHaveLength(10);
    expect(after.filter((salt) => before.includes(salt))).toEqual([]);
  });

  test("that an earlier version stored opens once, beside newer ones or alone", async () => {
    const { person, recoveryCodes } = await protectedPerson();
    const [first = "", second = ""] = recoveryCodes;
    expect(second).toMatch(/\w{5}/);
    const [oldCode, laterCode] = ["aaaaa-bbbbb-ccccc", "ddddd-eeeee-fffff"];
    const { database } = server().latchkey.parts;
    const store = (code: string) =>
      database.write(({ query }) =>
        query
          .insertInto("recovery_code")
          .values({ account_id: person.account.id, code_hash: oldHash(person.account.id, code) })
          .execute(),
      );
    await store(oldCode);
    expectStatus(201, await spend(person, oldCode.toUpperCase()));
    expectRefusal(await spend(person, oldCode), 401, "wrong_code");
    expectStatus(201, await spend(person, first));

    await database.write(({ query }) =>
      query.deleteFrom("recovery_code").where("account_id", "=", person.account.id).execute(),
    );
    expectRefusal(await spend(person, second), 401, "wrong_code");
    await store(laterCode);
    expectStatus(201, await spend(person, laterCode));
    expect(await storedOf(person)).toEqual([]);
  });
});
