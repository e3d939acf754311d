import { expect, test } from "vitest";
import { endEveryone } from "../../src/operator.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { linksIn, tokenIn } from "../support/mail/outbox.ts";
import { need } from "../support/requests/answers.ts";
import { HOUR, MINUTE, SECOND } from "../support/requests/clock.ts";
import { expectNoContent, expectRefusal, expectSignedIn } from "../support/requests/expectations.ts";
import {
  changeAddress,
  freshEmail,
  isSignedIn,
  OTHER_PASSWORD,
  PASSWORD,
  signIn,
  signUp,
  trySignIn,
} from "../support/requests/people.ts";
import { accountShape, sessionShape } from "../support/requests/shapes.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor, startServer } from "../support/servers/server.ts";

describeOnEachEngine("Signing up with the address verified first", (engine) => {
  const server = serverFor(engine, { signUp: "verify-first" });
  const begin = (email: string, password: unknown = PASSWORD) =>
    server().client().post("/api/accounts", { email, password });
  const finish = (token: string, password: string = PASSWORD, client = server().client()) =>
    client.put("/api/accounts", { token, password });

  async function begun(email = freshEmail()): Promise<{ email: string; token: string }> {
    await begin(email);
    return { email, token: await server().outbox.tokenFor(email, "/sign-up") };
  }

  test("answers 202 without a session and emails a link; no account is there before it is used", async () => {
    const email = freshEmail();
    const client = server().client();
    const answer = await client.post("/api/accounts", { email, password: PASSWORD });
    expect(answer.status).toBe(202);
    expect(answer.setCookies).toEqual([]);
    expect(answer.body).not.toHaveProperty("account");
    await server().outbox.withLink(email, "/sign-up");
    expectRefusal(await trySignIn(client, { email, password: PASSWORD }), 401, "wrong_credentials");
  });

  test("with an address that is reserved for the account that had it emails no link, but how its owner takes it back", async () => {
    const { email, token } = await begun();
    const client = server().client();
    await finish(token, PASSWORD, client);
    await changeAddress(server(), { client });
    expect((await begin(email)).status).toBe(202);
    const kept = await server().outbox.withSubject(email, "Your address is kept");
    expect(kept.text).toContain('choose "Keep my address" in the email that told you of the change');
    expect(linksIn(kept).filter((link) => link.includes("token"))).toEqual([]);
    server().clock.advance(8 * 24 * HOUR);
    const first = await server().outbox.withLink(email, "/sign-up");
    await begin(email);
    const fresh = await server().outbox.tokenFor(email, "/sign-up", first);
    expect((await finish(fresh)).status).toBe(201);
  });

  test.each([undefined, "short", 12])("ignores the password of the first step: %j", async (password) => {
    expect((await begin(freshEmail(), password)).status).toBe(202);
  });

  test("the link and a password make a verified account and a session", async () => {
    const { email, token } = await begun();
    const client = server().client(UA.safariIphone);
    const answer = await finish(token, OTHER_PASSWORD, client);
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      account: { ...accountShape, email, emailVerified: true },
      session: { ...sessionShape, label: "Safari on iOS" },
    });
    await expectSignedIn(client);
    expect(await server().outbox.to(email)).toHaveLength(1);
    await signIn(server(), { email, password: OTHER_PASSWORD }, UA.firefoxWindows);
  });

  test("the link works once", async () => {
    const { token } = await begun();
    expect((await finish(token)).status).toBe(201);
    const again = server().client();
    expectRefusal(await finish(token, PASSWORD, again), 410, "link_expired");
    expect(await isSignedIn(again)).toBe(false);
  });

  test("nor does it once its account is deleted", async () => {
    const { token } = await begun();
    const client = server().client();
    expect((await finish(token, PASSWORD, client)).status).toBe(201);
    expectNoContent(await client.delete("/api/account", { currentPassword: PASSWORD }));
    expectRefusal(await finish(token), 410, "link_expired");
  });

  test("the link is refused like an expired one if the address has an account by now", async () => {
    const { database, secretKey } = server();
    const open = await startServer({ engine, database, secretKey });
    const { email, token } = await begun();
    const person = await signUp(open, { email });
    expectRefusal(await finish(token, OTHER_PASSWORD), 410, "link_expired");
    await signIn(server(), person, UA.firefoxWindows);
    await open.close();
  });

  test("the link is refused like an expired one if sign-up was closed meanwhile", async () => {
    const { database, secretKey } = server();
    const { email, token } = await begun();
    const closed = await startServer({ engine, database, secretKey, signUp: "closed" });
    const late = closed.client();
    expectRefusal(await late.put("/api/accounts", { token, password: PASSWORD }), 410, "link_expired");
    expect(await isSignedIn(late)).toBe(false);
    expectRefusal(await trySignIn(late, { email, password: PASSWORD }), 401, "wrong_credentials");
    await closed.close();
  });

  test("the link lives 24 hours", async () => {
    const late = await begun();
    server().clock.advance(24 * HOUR + SECOND);
    expectRefusal(await finish(late.token), 410, "link_expired");
    const early = await begun();
    server().clock.advance(24 * HOUR - MINUTE);
    expect((await finish(early.token)).status).toBe(201);
  });

  test("a weak password leaves the link usable", async () => {
    const { token } = await begun();
    expectRefusal(await finish(token, "password1234"), 422, "weak_password");
    expect((await finish(token)).status).toBe(201);
  });

  test("a newer link ends the older one", async () => {
    const { email, token } = await begun();
    const earlier = (await server().outbox.to(email)).at(-1);
    await begin(email);
    const newer = await server().outbox.tokenFor(email, "/sign-up", earlier);
    expectRefusal(await finish(token), 410, "link_expired");
    expect((await finish(newer)).status).toBe(201);
  });

  test("an administrator who logs everyone out ends the link too", async () => {
    const { token } = await begun();
    await endEveryone(server().latchkey.parts, server().clock.now());
    expectRefusal(await finish(token), 410, "link_expired");
  });

  test("a token that never existed is refused like an expired one", async () => {
    expectRefusal(await finish("A".repeat(43)), 410, "link_expired");
    expectRefusal(await finish(""), 410, "link_expired");
  });

  test("a known address gets the same answer, and an email without a link", async () => {
    const { email, token } = await begun();
    await finish(token);
    const unknown = await begin(freshEmail());
    const known = await begin(email);
    expect([known.status, known.text]).toEqual([unknown.status, unknown.text]);
    expect(Object.keys(known.headers)).toEqual(Object.keys(unknown.headers));
    const notice = (await server().outbox.waitFor(email, 2))[1];
    expect(notice && linksIn(notice).filter((link) => link.includes("token"))).toEqual([]);
  });

  test("refuses what isn't an address, since that answer reveals nothing", async () => {
    expectRefusal(await begin("ada"), 422, "invalid_email");
  });

  test("emails go to the address as typed, and nowhere else", async () => {
    const email = freshEmail("Grace.Hopper");
    await begin(email);
    const mail = await server().outbox.withLink(email, "/sign-up");
    expect(mail.to).toEqual([email]);
    expect(linksIn(mail)).toContain(`${server().baseUrl}/sign-up#token=${tokenIn(mail, "/sign-up")}`);
    expect(need(await finish(tokenIn(mail, "/sign-up")), "account").email).toBe(email);
  });
});
