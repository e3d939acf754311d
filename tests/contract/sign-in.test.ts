import { describe, expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { header, need } from "../support/requests/answers.ts";
import {
  expectNoContent,
  expectRefusal,
  expectSignedIn,
  expectSignedOut,
} from "../support/requests/expectations.ts";
import {
  freshEmail,
  listOf,
  OTHER_PASSWORD,
  resetToken,
  signIn,
  signUp,
  trySignIn,
  WRONG_PASSWORD,
} from "../support/requests/people.ts";
import { accountShape, sessionShape } from "../support/requests/shapes.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor } from "../support/servers/server.ts";

describeOnEachEngine("Signing in", (engine) => {
  const server = serverFor(engine);

  test("answers 201 with the account and a session of its own", async () => {
    const person = await signUp(server());
    const client = server().client(UA.firefoxWindows);
    const answer = await trySignIn(client, person);
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      account: { ...accountShape, ...person.account },
      session: { ...sessionShape, label: "Firefox on Windows", current: true, signedInWith: "password" },
    });
    expect(need(answer, "session").id).not.toBe(person.session.id);
    expect(answer.text).not.toContain(client.token);
    await expectSignedIn(client);
    await expectSignedIn(person.client);
  });

  test("refuses a wrong password and an unknown address with the same answer, to the byte", async () => {
    const person = await signUp(server());
    const wrong = await trySignIn(server().client(), { ...person, password: WRONG_PASSWORD });
    const unknown = await trySignIn(server().client(), { email: freshEmail(), password: WRONG_PASSWORD });
    expectRefusal(wrong, 401, "wrong_credentials");
    expect(wrong.text).toBe(unknown.text);
    expect(Object.keys(wrong.headers)).toEqual(Object.keys(unknown.headers));
  });

  test("in a browser that only another account knows is reported to the owner, and doesn't count as the owner's browser", async () => {
    const owner = await signUp(server());
    const { client } = await signUp(server(), { userAgent: UA.firefoxWindows });
    const token = await server().outbox.tokenFor(owner.email, "/confirm-email");
    const preview = await client.post("/api/email-confirmations/preview", { token });
    expect(JSON.parse(preview.text)).toMatchObject({ known: false });
    await signIn(server(), owner, client);
    const news = await server().outbox.withSubject(owner.email, "New sign-in: Firefox on Windows");
    expect(news.to).toEqual([owner.email]);
  });

  test("in a new browser is also reported after a reset, which forgets none of the owner's browsers", async () => {
    const person = await signUp(server());
    const { client, email } = person;
    const token = await server().outbox.tokenFor(email, "/confirm-email");
    expectNoContent(await client.post("/api/email-confirmations", { token }));
    const reset = { token: await resetToken(server(), email), password: OTHER_PASSWORD };
    expectNoContent(await client.put("/api/password-resets", reset));
    await signIn(server(), { email, password: OTHER_PASSWORD }, UA.firefoxWindows);
    const news = await server().outbox.to(email);
    expect(news.map(({ subject }) => subject)).toContainEqual(
      expect.stringContaining("New sign-in: Firefox on Windows"),
    );
  });

  test("in the very first browser of an account, such as an imported one, isn't reported, nor is the next one there", async () => {
    const person = await signUp(server());
    await server().latchkey.parts.database.write(({ query }) =>
      query.deleteFrom("known_device").where("account_id", "=", person.account.id).execute(),
    );
    await signIn(server(), person, UA.firefoxWindows);
    const { client } = await signIn(server(), person, UA.safariMac);
    await signIn(server(), person, client);
    const news = (await server().outbox.to(person.email)).map(({ subject }) => subject);
    expect(news.filter((subject) => subject.startsWith("New sign-in"))).toEqual([
      expect.stringContaining("New sign-in: Safari on Mac OS"),
    ]);
  });

  test("an impossible address counts as an unknown one", async () => {
    for (const email of ["ada", "", "ada@example.test,eve@example.test"])
      expectRefusal(
        await trySignIn(server().client(), { email, password: WRONG_PASSWORD }),
        401,
        "wrong_credentials",
      );
  });

  test("a failed sign-in touches neither a session nor its cookie", async () => {
    const person = await signUp(server());
    const { token } = person.client;
    expectRefusal(
      await trySignIn(person.client, { ...person, password: WRONG_PASSWORD }),
      401,
      "wrong_credentials",
    );
    expect(person.client.token).toBe(token);
    await expectSignedIn(person.client);
  });

  test("over a live cookie of the same account replaces that session, whatever browser had it", async () => {
    const person = await signUp(server());
    const before = person.client.token;
    await signIn(server(), person, person.client);
    const old = server().client();
    old.token = before;
    await expectSignedOut(old, "replaced");
    expect(await listOf(person.client)).toHaveLength(1);
  });

  test("over a live cookie of another account logs that one out", async () => {
    const first = await signUp(server());
    const second = await signUp(server());
    const shared = server().client();
    shared.token = first.client.token;
    await signIn(server(), second, shared);
    await expectSignedOut(first.client, "signed_out");
    expect(need(await shared.get("/api/session"), "account").id).toBe(second.account.id);
  });

  test("never takes over a token that was there before", async () => {
    const person = await signUp(server());
    const victim = server().client(UA.safariMac);
    victim.token = `lk1_${"A".repeat(43)}`;
    await signIn(server(), person, victim);
    expect(victim.token).not.toBe(`lk1_${"A".repeat(43)}`);
  });

  describe("names the device by its User-Agent (S2):", () => {
    test.each([
      [UA.chromeMac, "Chrome on Mac OS", "Chrome", "Mac OS"],
      [UA.safariIphone, "Safari on iOS", "Safari", "iOS"],
      [UA.firefoxWindows, "Firefox on Windows", "Firefox", "Windows"],
      [UA.safariMac, "Safari on Mac OS", "Safari", "Mac OS"],
      [UA.edgeWindows, "Edge on Windows", "Edge", "Windows"],
      [UA.chromeAndroid, "Chrome on Android", "Chrome", "Android"],
      [UA.firefoxLinux, "Firefox on Linux", "Firefox", "Linux"],
      [UA.webViewAndroid, "WebView on Android", "WebView", "Android"],
      [UA.firefoxOnly, "Firefox", "Firefox", null],
      [UA.script, "Unknown device", null, null],
    ])("%s", async (userAgent, label, browser, os) => {
      const { session } = await signUp(server(), { userAgent });
      expect(session).toMatchObject({ label, browser, os });
    });

    test("a missing User-Agent is an unknown device", async () => {
      const person = await signUp(server());
      const answer = await server().client().post("/api/session", person, { "User-Agent": undefined });
      expect(need(answer, "session")).toMatchObject({ label: "Unknown device", browser: null, os: null });
    });

    test("a Macintosh Safari with more than one touch point is an iPad", async () => {
      const person = await signUp(server());
      const { email, password } = person;
      const send = async (touchPoints: number) =>
        need(
          await server().client(UA.safariMac).post("/api/session", { email, password, touchPoints }),
          "session",
        );
      expect(await send(5)).toMatchObject({ label: "Safari on iOS" });
      expect(await send(1)).toMatchObject({ label: "Safari on Mac OS" });
      expect(await send(0)).toMatchObject({ label: "Safari on Mac OS" });
      const made = await server()
        .client(UA.safariMac)
        .post("/api/accounts", { email: freshEmail(), password, touchPoints: 5 });
      expect(need(made, "session").label).toBe("Safari on iOS");
    });
  });
});

describeOnEachEngine("The session in use", (engine) => {
  const server = serverFor(engine);

  test("is told by GET /api/session", async () => {
    const person = await signUp(server());
    const answer = await person.client.get("/api/session");
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ account: accountShape, session: { ...sessionShape, current: true } });
    expect(answer.body).toMatchObject({ account: person.account, session: { id: person.session.id } });
    expect(header(answer, "cache-control")).toBe("no-store");
    expect(answer.setCookies).toEqual([]);
  });

  test("ends by DELETE /api/session, which clears the cookie; its token hears `signed_out`", async () => {
    const person = await signUp(server());
    const { token, sessionCookieName } = person.client;
    const answer = await person.client.delete("/api/session");
    expectNoContent(answer);
    expect(answer.setCookies).toContainEqual(expect.stringMatching(new RegExp(`^${sessionCookieName}=;`)));
    expect(person.client.token).toBe("");
    person.client.token = token;
    await expectSignedOut(person.client, "signed_out");
    expectRefusal(await person.client.delete("/api/session"), 401, "signed_out");
  });

  test("there is none without a cookie, with an unknown token, or with a garbled one: `none`", async () => {
    const client = server().client();
    await expectSignedOut(client, "none");
    for (const token of [`lk1_${"x".repeat(43)}`, "x", "lk1_", `lk2_${"x".repeat(43)}`, "%00", '"quoted"']) {
      client.token = token;
      const answer = await expectSignedOut(client, "none");
      expect(answer.body).not.toHaveProperty("by");
      expect(answer.body).not.toHaveProperty("at");
    }
  });

  test("a session is opened by the whole token only", async () => {
    const { client } = await signUp(server());
    const { token } = client;
    for (const near of [token.slice(0, -1), `${token}A`, token.toUpperCase(), token.slice(4)]) {
      client.token = near;
      await expectSignedOut(client, "none");
    }
  });
});
