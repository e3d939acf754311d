import { expect, test } from "vitest";
import { describeOnEachEngine } from "../support/engines.ts";
import { expectRefusal } from "../support/expectations.ts";
import { expectStatus, halfSignIn, signInWithCode, signUp, turnOnTwoFactor } from "../support/people.ts";
import { startServer } from "../support/server.ts";
import { codeAt } from "../support/totp.ts";

const OLD = "1a".repeat(32);
const NEW = "2b".repeat(32);

describeOnEachEngine("LATCHKEY_SECRET_KEY, while it is changed", (engine) => {
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
});
