import { describe, expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { SoftwareAuthenticator } from "../support/login-methods/software-authenticator.ts";
import { linksIn } from "../support/mail/outbox.ts";
import { need } from "../support/requests/answers.ts";
import { DAY } from "../support/requests/clock.ts";
import { expectRefusal, expectSignedIn, expectSignedOut } from "../support/requests/expectations.ts";
import {
  expectStatus,
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
import { serverFor } from "../support/servers/server.ts";

describeOnEachEngine("Signing up", (engine) => {
  const server = serverFor(engine);
  const attempt = (email: unknown, password: unknown = PASSWORD) =>
    server().client().post("/api/accounts", { email, password });

  test("answers 201 with the account and the session, exactly as the contract lists them", async () => {
    const email = freshEmail();
    const answer = await attempt(email);
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({ account: accountShape, session: sessionShape });
    expect(answer.body.account).toMatchObject({ email, emailVerified: false, twoFactor: false });
    expect(answer.body.session).toMatchObject({
      label: "Chrome on Mac OS",
      browser: "Chrome",
      os: "Mac OS",
      current: true,
      signedInWith: "password",
    });
    expect(answer.headers["content-type"]).toMatch(/^application\/json\b/);
    expect(answer.headers["cache-control"]).toBe("no-store");
  });

  test("begins a session of 30 days, whose token is in the cookie and not in the answer", async () => {
    const client = server().client();
    const answer = await client.post("/api/accounts", { email: freshEmail(), password: PASSWORD });
    const { createdAt, expiresAt } = need(answer, "session");
    const [password] = need(await client.get("/api/account/login-methods"), "methods");
    expect(password).toMatchObject({ kind: "password", createdAt, lastUsedAt: createdAt });
    expect(Date.parse(expiresAt) - Date.parse(createdAt)).toBe(30 * DAY);
    expect(client.token).toMatch(/^lk1_[A-Za-z0-9_-]{43}$/);
    expect(answer.text).not.toContain(client.token);
    await expectSignedIn(client);
  });

  test("with a passkey makes an account whose address isn't confirmed, and emails a link to confirm it", async () => {
    const email = freshEmail();
    const client = server().client();
    const begun = await client.post("/api/passkeys/options", { email });
    const passkey = new SoftwareAuthenticator(server().baseUrl).create(JSON.parse(begun.text));
    const answer = expectStatus(201, await client.post("/api/accounts", { email, passkey }));
    expect(need(answer, "account")).toMatchObject({ email, emailVerified: false });
    expect(need(answer, "session").signedInWith).toBe("passkey");
    await server().outbox.withLink(email, "/confirm-email");
  });

  test("emails a link to confirm the address", async () => {
    const { email } = await signUp(server());
    const [mail] = await server().outbox.waitFor(email, 1);
    expect(mail && linksIn(mail)).toContainEqual(
      expect.stringMatching(new RegExp(`^${server().baseUrl}/confirm-email#token=[\\w-]+$`)),
    );
  });

  test("keeps the address as typed and compares it with ASCII letters folded", async () => {
    const email = freshEmail("Ada.Lovelace").replace("example", "Example");
    const person = await signUp(server(), { email });
    expect(person.account.email).toBe(email);
    expectRefusal(await attempt(email.toLowerCase()), 409, "email_taken");
    expectRefusal(await attempt(email.toUpperCase()), 409, "email_taken");
    const upper = { email: email.toUpperCase(), password: PASSWORD };
    const { client } = await signIn(server(), upper, UA.firefoxWindows);
    expect(need(await client.get("/api/session"), "account").email).toBe(email);
  });

  test("refuses an address that is taken, and changes nothing for its owner", async () => {
    const person = await signUp(server());
    const stranger = server().client();
    const answer = await stranger.post("/api/accounts", { email: person.email, password: OTHER_PASSWORD });
    expectRefusal(answer, 409, "email_taken");
    expect(await isSignedIn(stranger)).toBe(false);
    await expectSignedIn(person.client);
    expectRefusal(
      await trySignIn(stranger, { ...person, password: OTHER_PASSWORD }),
      401,
      "wrong_credentials",
    );
  });

  describe("refuses as an address", () => {
    test.each([
      "",
      "ada",
      "@example.test",
      "ada@",
      "ada@localhost@",
      "ada@example..test",
      "adä@example.test",
      "ＡＤＡ@example.test",
      "ada@example.test, eve@example.test",
      "ada@example.test,eve@example.test",
      "ada@example.test eve@example.test",
      "ada@example.test\r\nBcc: eve@example.test",
      "ada\u0000@example.test",
      '"ada eve@example.test"@example.test',
      "Ada <ada@example.test>",
      `${"a".repeat(300)}@example.test`,
    ])("%j", async (email) => {
      expectRefusal(await attempt(email), 422, "invalid_email");
    });
  });

  describe("refuses as weak, and says why,", () => {
    test.each([
      ["11 characters", "kR7-vQ2_zX9"],
      ["11 emoji, which are 22 UTF-16 units", "🦊🐝🪐🎻🧭🪵🦉🍄🛶🧶🪁"],
      ["a common password", "password1234"],
      ["a keyboard walk", "qwertyuiop12"],
      ["one character over and over", "aaaaaaaaaaaaaaaaaaaa"],
      ["the product's own name", "latchkeylatchkey"],
    ])("%s", async (_, password) => {
      const answer = await attempt(freshEmail(), password);
      expectRefusal(answer, 422, "weak_password");
    });

    test.each([
      ["password1234", /little more than a word like "password"/],
      ["Password-login1", /little more than a word like "password"/],
      ["latchkeylatchkey", /this site's name/],
    ])("%s, which says what is wrong with it", async (password, sentence) => {
      expect((await attempt(freshEmail(), password)).body.detail).toMatch(sentence);
    });

    test("the account's own address", async () => {
      const email = freshEmail("wilhelmina");
      expectRefusal(await attempt(email, email), 422, "weak_password");
    });
  });

  test("takes a password in any script, and compares it in its composed form", async () => {
    const email = freshEmail();
    const decomposed = "Tréêhouse-ñandú-überflog 9".normalize("NFD");
    await signUp(server(), { email, password: decomposed });
    const composed = { email, password: decomposed.normalize("NFC") };
    await expectSignedIn((await signIn(server(), composed, UA.firefoxWindows)).client);
  });

  test("cuts nothing off a long password", async () => {
    const email = freshEmail();
    const long = `${"correct battery staple harbour ".repeat(6)}end`;
    await signUp(server(), { email, password: long });
    const shorter = await trySignIn(server().client(), { email, password: long.slice(0, -1) });
    expectRefusal(shorter, 401, "wrong_credentials");
    await signIn(server(), { email, password: long }, UA.firefoxWindows);
  });

  test("assigns nothing but what it asked for", async () => {
    const email = freshEmail();
    const extra = { id: "1", accountId: "1", emailVerified: true, twoFactor: true, role: "admin" };
    const answer = await server()
      .client()
      .post("/api/accounts", { email, password: PASSWORD, ...extra });
    expect(answer.body.account).toEqual({ ...accountShape, email, emailVerified: false, twoFactor: false });
    expect(need(answer, "account").id).not.toBe("1");
  });

  test("over another account's live cookie logs that one out of this browser", async () => {
    const first = await signUp(server());
    const { client, session } = await signUp(server());
    const elsewhere = server().client();
    elsewhere.token = client.token;
    client.jar.clear();
    client.token = first.client.token;
    const email = freshEmail();
    expect((await client.post("/api/accounts", { email, password: PASSWORD })).status).toBe(201);
    await expectSignedOut(first.client, "signed_out");
    expect(need(await client.get("/api/session"), "account").email).toBe(email);
    expect(need(await elsewhere.get("/api/session"), "session").id).toBe(session.id);
  });
});

describeOnEachEngine("Signing up while it is closed", (engine) => {
  const server = serverFor(engine, { signUp: "closed" });

  test("is refused, whatever the address", async () => {
    const client = server().client();
    const answer = await client.post("/api/accounts", { email: freshEmail(), password: PASSWORD });
    expectRefusal(answer, 403, "sign_up_closed");
    expect(client.jar.names()).toEqual([]);
  });
});

describeOnEachEngine("A shorter minimum length", (engine) => {
  const server = serverFor(engine, { passwordMinLength: 10 });

  test("lets a password of that length in, and none below", async () => {
    const attempt = (password: string) =>
      server().client().post("/api/accounts", { email: freshEmail(), password });
    expect((await attempt("kR7-vQ2zXm")).status).toBe(201);
    expectRefusal(await attempt("kR7-vQ2zX"), 422, "weak_password");
  });
});
