import { expect, test } from "vitest";
import { BOUND, copyOf, signUpBound } from "../support/browsers/bound-browser.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { DAY, SECOND } from "../support/requests/clock.ts";
import {
  expectProblem,
  expectRefusal,
  expectSignedIn,
  expectSignedOut,
} from "../support/requests/expectations.ts";
import { expectStatus, type Person, signIn, signUp } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor } from "../support/servers/server.ts";

const planted = (number: number) => `__Secure-latchkey=lk1_${String(number).padStart(43, "p")}`;
const inBothOrders = (cookies: string[]) => [cookies.join("; "), cookies.toReversed().join("; ")];
const plant = (many: number) => Array.from({ length: many }, (_, number) => planted(number));

describeOnEachEngine("Cookies that a sub-domain has planted beside the real one", (engine) => {
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

  test("of several live ones, the session that began last counts, in whatever order they come", async () => {
    const older = await signUp(server());
    server().clock.advance(1_000);
    const newer = await signUp(server());
    const cookies = [older, newer].map(cookieOf);
    for (const Cookie of inBothOrders(cookies)) {
      const answer = expectStatus(200, await older.client.get("/api/session", { Cookie }));
      expect(answer.body.account?.id).toBe(newer.account.id);
    }
  });

  test("an expired one doesn't hide a live one", async () => {
    const expired = await signUp(server());
    server().clock.advance(30 * DAY);
    const living = await signUp(server());
    for (const Cookie of inBothOrders([expired, living].map(cookieOf))) {
      const answer = expectStatus(200, await living.client.get("/api/session", { Cookie }));
      expect(answer.body.account?.id).toBe(living.account.id);
    }
  });

  test("one that ended so long ago that its reason is forgotten doesn't hide the reason of another", async () => {
    const forgotten = await signUp(server());
    server().clock.advance(10 * DAY);
    const expired = await signUp(server());
    server().clock.setTo(Date.parse(expired.session.expiresAt) + SECOND);
    await expectSignedOut(forgotten.client, "none");
    for (const Cookie of inBothOrders([forgotten, expired].map(cookieOf))) {
      const answer = await expired.client.get("/api/session", { Cookie });
      expectRefusal(answer, 401, "signed_out");
      expect(answer.body.reason).toBe("expired");
    }
  });

  function cookieOf({ client }: Pick<Person, "client">): string {
    return `__Secure-latchkey=${client.token}`;
  }
});

describeOnEachEngine("A cookie of a session that is bound to another device", (engine) => {
  const server = serverFor(engine, { baseUrl: "https://login.example.test" });

  test("doesn't hide a live one, wherever it stands", async () => {
    const bound = await signUpBound(server());
    const living = await signUp(server());
    const cookies = [bound, living].map(({ client }) => `__Host-latchkey=${client.token}`);
    for (const Cookie of inBothOrders(cookies)) {
      const answer = expectStatus(200, await server().client().get("/api/session", { Cookie }));
      expect(answer.body.account?.id).toBe(living.account.id);
    }
  });

  test("doesn't open it together with a made-up bound cookie, whatever its own device has shown", async () => {
    const { browser, client } = await signUpBound(server());
    const thief = copyOf(server(), client);
    thief.jar.set(BOUND, "A".repeat(43));
    const expectNothing = async () => {
      for (let shown = 0; shown < 2; shown++) await expectSignedIn(client);
      const answer = await thief.get("/api/session", { Cookie: thief.jar.header() });
      expectProblem(answer, 401, "device_proof_needed");
      thief.jar.set(BOUND, "A".repeat(43));
    };
    await expectNothing();
    expect((await browser.refreshOnce()).status).toBe(200);
    await expectNothing();
  });
});
