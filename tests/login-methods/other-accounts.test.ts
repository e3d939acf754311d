import { afterAll, beforeAll, expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { addPasskey, passkeySignIn, signInOptions } from "../support/login-methods/passkeys.ts";
import { need } from "../support/requests/answers.ts";
import { MINUTE } from "../support/requests/clock.ts";
import { expectNoContent, expectRefusal, expectSignedIn } from "../support/requests/expectations.ts";
import { expectStatus, signUp, verifyEmail } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";
import { Sites } from "./ways.ts";

describeOnEachEngine("The login methods of another account", (engine) => {
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

  async function withEverything(userAgent: string = UA.chromeMac) {
    const person = await signUp(server, { userAgent });
    await verifyEmail(server, person);
    const authenticator = await addPasskey(server, person.client);
    await sites.connect(person.client, "plain", person.account.id);
    return { ...person, authenticator };
  }

  test("can be neither renamed nor disconnected, and answer like those that don't exist", async () => {
    const victim = await withEverything();
    const thief = await withEverything(UA.firefoxWindows);
    const before = need(await victim.client.get("/api/account/login-methods"), "methods");
    const others = before.filter(({ kind }) => kind !== "password");
    expect(others.map(({ kind }) => kind).sort()).toEqual(["oidc", "passkey"]);
    for (const { id } of others) {
      const path = `/api/account/login-methods/${id}`;
      expectRefusal(await thief.client.delete(path), 404, "not_found");
      expectRefusal(await thief.client.put(path, { name: "Mine" }), 404, "not_found");
    }
    expect(need(await victim.client.get("/api/account/login-methods"), "methods")).toEqual(before);
    expectStatus(201, await passkeySignIn(server.client(UA.firefoxLinux), victim.authenticator));
  });

  test("prove nothing here: only one's own passkey or site makes a session proved", async () => {
    const victim = await withEverything();
    const thief = await withEverything(UA.firefoxWindows);
    server.clock.advance(11 * MINUTE);
    const { client } = victim;
    const token = client.token;
    const wrong = thief.authenticator.get(await signInOptions(client));
    expectRefusal(await client.post("/api/session/proof", { passkey: wrong }), 422, "wrong_passkey");
    const begun = expectStatus(200, await client.post("/api/oidc/plain/start", { intent: "prove" }));
    const landed = await sites.finish(client, JSON.parse(begun.text).url, "plain", thief.account.id);
    expect(landed).toContain("?error=provider_other_person");
    expectRefusal(await client.post("/api/passkeys/options"), 403, "proof_needed");
    expect(client.token).toBe(token);
    const right = victim.authenticator.get(await signInOptions(client));
    expectNoContent(await client.post("/api/session/proof", { passkey: right }));
    expectStatus(200, await client.post("/api/passkeys/options"));
    server.clock.advance(-11 * MINUTE);
  });

  test("a site proves who is there now: not by a sign-in of an hour ago, nor without saying when it was", async () => {
    const { client, account } = await withEverything();
    server.clock.advance(11 * MINUTE);
    const prove = async (facts: Record<string, unknown>) => {
      const begun = expectStatus(200, await client.post("/api/oidc/plain/start", { intent: "prove" }));
      return sites.finish(client, JSON.parse(begun.text).url, "plain", account.id, facts);
    };
    for (const at of [undefined, Math.floor(Date.now() / 1_000) - 3_600, "now"]) {
      expect(await prove({ auth_time: at })).toContain("?error=provider_failed");
      expectRefusal(await client.post("/api/passkeys/options"), 403, "proof_needed");
    }
    expect(await prove({})).toContain("?proved=1");
    expectStatus(200, await client.post("/api/passkeys/options"));
    server.clock.advance(-11 * MINUTE);
  });

  test("a site that is connected to one account can't be connected to a second", async () => {
    const victim = await withEverything();
    const thief = await signUp(server, { userAgent: UA.firefoxWindows });
    const begun = expectStatus(200, await thief.client.post("/api/oidc/plain/start", { intent: "connect" }));
    const landed = await sites.finish(thief.client, JSON.parse(begun.text).url, "plain", victim.account.id);
    expect(landed).toContain("?error=method_taken");
    const client = server.client(UA.firefoxLinux);
    await sites.signIn(client, "plain", victim.account.id);
    expect(need(await client.get("/api/session"), "account").id).toBe(victim.account.id);
  });

  test("a sign-in with a site that one account began isn't finished in the session of another in the same browser", async () => {
    const victim = await signUp(server);
    const thief = await signUp(server, { userAgent: UA.firefoxWindows });
    const begun = expectStatus(200, await thief.client.post("/api/oidc/plain/start", { intent: "connect" }));
    victim.client.jar.set("latchkey-ceremony", thief.client.jar.get("latchkey-ceremony") ?? "");
    const landed = await sites.finish(victim.client, JSON.parse(begun.text).url, "plain", thief.account.id);
    expect(landed).toContain("?error=signed_out");
    await expectSignedIn(victim.client);
    for (const { client } of [victim, thief])
      expect(need(await client.get("/api/account/login-methods"), "methods")).toHaveLength(1);
  });

  test("signing in with a site over a live cookie of another account ends that one's session", async () => {
    const mine = await withEverything();
    const theirs = await withEverything(UA.firefoxWindows);
    const before = mine.client.token;
    await sites.signIn(mine.client, "plain", theirs.account.id);
    expect(need(await mine.client.get("/api/session"), "account").id).toBe(theirs.account.id);
    const old = server.client();
    old.token = before;
    const answer = await old.get("/api/session");
    expectRefusal(answer, 401, "signed_out");
    expect(answer.body.reason).toBe("signed_out");
  });
});
