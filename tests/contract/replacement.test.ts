import { describe, expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { expectSignedIn, expectSignedOut } from "../support/requests/expectations.ts";
import {
  halfSignIn,
  listOf,
  signIn,
  signInWithCode,
  signUp,
  trySignIn,
  turnOnTwoFactor,
  WRONG_PASSWORD,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor } from "../support/servers/server.ts";

describeOnEachEngine("One session per browser and system", (engine) => {
  const server = serverFor(engine);

  test("S12: signing in again from the same browser and system replaces the older session", async () => {
    const person = await signUp(server(), { userAgent: UA.chromeMac });
    const again = await signIn(server(), person, UA.chromeMac);
    const answer = await expectSignedOut(person.client, "replaced");
    expect(answer.body.by).toBe("Chrome on Mac OS");
    expect((await listOf(again.client)).map(({ id }) => id)).toEqual([again.session.id]);
  });

  test("S12: the version of the browser makes no difference", async () => {
    const person = await signUp(server(), { userAgent: UA.chromeMac });
    await signIn(server(), person, UA.chromeMacNewer);
    await expectSignedOut(person.client, "replaced");
  });

  test("S12: the list never accumulates duplicates", async () => {
    const person = await signUp(server());
    let last = person.client;
    for (let times = 0; times < 5; times++) ({ client: last } = await signIn(server(), person, UA.chromeMac));
    expect(await listOf(last)).toHaveLength(1);
  });

  test("S13: different browsers on one system are different sessions", async () => {
    const person = await signUp(server(), { userAgent: UA.chromeMac });
    const { client } = await signIn(server(), person, UA.safariMac);
    await expectSignedIn(person.client);
    const labels = (await listOf(client)).map(({ label }) => label).sort();
    expect(labels).toEqual(["Chrome on Mac OS", "Safari on Mac OS"]);
  });

  test("S13: one browser on different systems is different sessions", async () => {
    const person = await signUp(server(), { userAgent: UA.chromeMac });
    await signIn(server(), person, UA.chromeWindows);
    await signIn(server(), person, UA.chromeAndroid);
    expect(await listOf(person.client)).toHaveLength(3);
  });

  test("another account's session on the same browser and system stays", async () => {
    const person = await signUp(server());
    await signUp(server());
    await expectSignedIn(person.client);
  });

  describe("replaces no session if the device isn't known for sure:", () => {
    test.each([
      ["a WebView on Android", UA.webViewAndroid],
      ["a WebView on iOS", UA.webViewIphone],
      ["a browser on an unknown system", UA.firefoxOnly],
      ["a script", UA.script],
      ["an empty User-Agent", ""],
    ])("%s", async (_, userAgent) => {
      const person = await signUp(server(), { userAgent });
      const again = await signIn(server(), person, userAgent);
      await expectSignedIn(person.client);
      expect(await listOf(again.client)).toHaveLength(2);
    });
  });

  test("a WebView leaves the phone's Chrome alone", async () => {
    const person = await signUp(server(), { userAgent: UA.chromeAndroid });
    await signIn(server(), person, UA.webViewAndroid);
    await expectSignedIn(person.client);
  });

  test("a wrong password replaces nothing", async () => {
    const person = await signUp(server());
    await trySignIn(server().client(), { ...person, password: WRONG_PASSWORD });
    await expectSignedIn(person.client);
  });

  test("with a second factor, the password alone replaces nothing; the last factor does", async () => {
    const person = await signUp(server());
    const { secret } = await turnOnTwoFactor(server(), person);
    await halfSignIn(server(), person, UA.chromeMac);
    await expectSignedIn(person.client);
    await signInWithCode(server(), person, secret, UA.chromeMac);
    await expectSignedOut(person.client, "replaced");
  });
});

describeOnEachEngine("One session per device, if the scope is `device`", (engine) => {
  const server = serverFor(engine, { sessionScope: "device" });

  test("two Macs with the same browser are two sessions", async () => {
    const person = await signUp(server(), { userAgent: UA.chromeMac });
    const second = await signIn(server(), person, UA.chromeMac);
    await expectSignedIn(person.client);
    expect(await listOf(second.client)).toHaveLength(2);
  });

  test("the same browser again, by its device cookie, replaces its older session", async () => {
    const person = await signUp(server());
    const old = server().client();
    old.token = person.client.token;
    person.client.jar.delete(person.client.sessionCookieName);
    const again = await signIn(server(), person, person.client);
    await expectSignedOut(old, "replaced");
    expect((await listOf(again.client)).map(({ id }) => id)).toEqual([again.session.id]);
  });

  test("a device cookie replaces only sessions of the account that signs in", async () => {
    const person = await signUp(server());
    const guest = await signUp(server());
    person.client.jar.delete(person.client.sessionCookieName);
    const kept = guest.client.token;
    await signIn(server(), guest, person.client);
    const old = server().client();
    old.token = kept;
    await expectSignedIn(old);
  });
});
