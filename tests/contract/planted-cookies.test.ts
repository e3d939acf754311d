import { expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { expectRefusal, expectSignedOut } from "../support/requests/expectations.ts";
import { expectStatus, signIn, signUp } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor } from "../support/servers/server.ts";

const planted = (number: number) => `__Secure-latchkey=lk1_${String(number).padStart(43, "p")}`;
const plant = (many: number) => Array.from({ length: many }, (_, number) => planted(number));

describeOnEachEngine("Cookies that a sub-domain planted beside the real one", (engine) => {
  const server = serverFor(engine, {
    baseUrl: "https://login.example.test",
    cookieDomain: "example.test",
  });

  test.each([4, 49, 200])("don't hide it, be they %i, and wherever it stands among them", async (many) => {
    const { client, account } = await signUp(server());
    const own = `__Secure-latchkey=${client.token}`;
    const others = plant(many);
    for (const at of [0, many >> 1, many]) {
      const Cookie = [...others.slice(0, at), own, ...others.slice(at)].join("; ");
      const answer = expectStatus(200, await client.get("/api/session", { Cookie }));
      expect(answer.body.account?.id).toBe(account.id);
      expect((await client.get("/verify", { Cookie })).headers["remote-account"]).toBe(account.id);
    }
  });

  test("don't hide why it ended either", async () => {
    const person = await signUp(server());
    const other = await signIn(server(), person, UA.firefoxWindows);
    expectStatus(200, await other.client.delete("/api/sessions"));
    const told = await expectSignedOut(person.client, "signed_out_remotely");
    const Cookie = [...plant(9), `__Secure-latchkey=${person.client.token}`].join("; ");
    const answer = await person.client.get("/api/session", { Cookie });
    expectRefusal(answer, 401, "signed_out");
    expect(answer.body).toMatchObject({ reason: told.body.reason, by: told.body.by, at: told.body.at });
  });

  test("of several that live, the session that began last is meant, in whatever order they come", async () => {
    const older = await signUp(server());
    server().clock.advance(1_000);
    const newer = await signUp(server());
    const cookies = [older, newer].map(({ client }) => `__Secure-latchkey=${client.token}`);
    for (const Cookie of [cookies.join("; "), cookies.toReversed().join("; ")]) {
      const answer = expectStatus(200, await older.client.get("/api/session", { Cookie }));
      expect(answer.body.account?.id).toBe(newer.account.id);
    }
  });
});
