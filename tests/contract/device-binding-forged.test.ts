import { describe, expect, test } from "vitest";
import {
  BOUND,
  BoundBrowser,
  makeKey,
  makeProof,
  offer,
  REFRESH,
  REGISTRATION,
  signUpBound,
} from "../support/browsers/bound-browser.ts";
import { allAtRest } from "../support/databases/at-rest.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { header } from "../support/requests/answers.ts";
import { DAY, MINUTE } from "../support/requests/clock.ts";
import { expectNoContent, expectRefusal, expectSignedIn } from "../support/requests/expectations.ts";
import { PASSWORD, signIn, signUp } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor } from "../support/servers/server.ts";

const BASE = "https://app.example.test";

const unsigned = (challenge: string, jwk: object) => {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${encode({ typ: "dbsc+jwt", alg: "none", jwk })}.${encode({ jti: challenge })}.`;
};

/** Header values that aren't proofs at all. */
const SHAPELESS: [string, string][] = [
  ["nothing", ""],
  ["an empty string", '""'],
  ["an unclosed quote", '"abc'],
  ["a list", '"a", "b"'],
  ["nothing but dots", '"...."'],
  ["two parts", '"e30.e30"'],
  ["parts that aren't JSON", '"AAAA.AAAA.AAAA"'],
  [
    "JSON that is no object",
    `"${["[]", "null", ""].map((text) => Buffer.from(text).toString("base64url")).join(".")}"`,
  ],
  ["9 kB", `"${"A".repeat(3_000)}.${"A".repeat(3_000)}.${"A".repeat(3_000)}"`],
];

describeOnEachEngine("A forged proof of a device", (engine) => {
  const server = serverFor(engine, { baseUrl: BASE });

  async function offered() {
    const { email, client } = await signUp(server());
    const signedIn = await client.post("/api/session", { email, password: PASSWORD });
    return { browser: new BoundBrowser(client), client, signedIn, ...offer(signedIn) };
  }

  const register = (browser: BoundBrowser, path: string, proof: string) =>
    browser.send(path, { "Secure-Session-Response": proof === "" ? undefined : proof });

  describe("at the registration leaves the session as it was", () => {
    test.each(SHAPELESS)("%s", async (_, proof) => {
      const { browser, client, path } = await offered();
      expectRefusal(await register(browser, path, proof), 422, "device_proof_wrong");
      await expectSignedIn(client);
    });

    const key = makeKey();
    const rsa = makeKey("RS256");
    const other = makeKey();
    const FORGED: [string, (challenge: string) => string][] = [
      ["no signature", (challenge) => unsigned(challenge, key.jwk)],
      ["another key's signature", (challenge) => makeProof(challenge, { key, header: { jwk: other.jwk } })],
      ["another type", (challenge) => makeProof(challenge, { key, header: { jwk: key.jwk, typ: "jwt" } })],
      ["a key of another algorithm", (challenge) => makeProof(challenge, { key, header: { jwk: rsa.jwk } })],
      [
        "an algorithm of another key",
        (challenge) => makeProof(challenge, { key, header: { jwk: key.jwk, alg: "RS256" } }),
      ],
      [
        "a shared secret",
        (challenge) =>
          makeProof(challenge, { key, header: { jwk: { kty: "oct", k: "AAAA" }, alg: "HS256" } }),
      ],
      ["no key", (challenge) => makeProof(challenge, { key })],
      [
        "a key off the curve",
        (challenge) => makeProof(challenge, { key, header: { jwk: { ...key.jwk, x: "A".repeat(43) } } }),
      ],
      [
        "a challenge that was never given",
        () => makeProof("A".repeat(43), { key, header: { jwk: key.jwk } }),
      ],
      [
        "no challenge",
        (challenge) => makeProof(challenge, { key, header: { jwk: key.jwk }, payload: { jti: undefined } }),
      ],
      [
        "a challenge that isn't a string",
        (challenge) => makeProof(challenge, { key, header: { jwk: key.jwk }, payload: { jti: { a: 1 } } }),
      ],
      [
        "a critical header",
        (challenge) => makeProof(challenge, { key, header: { jwk: key.jwk, crit: ["b64"], b64: false } }),
      ],
    ];
    test.each(FORGED)("%s", async (_, forge) => {
      const { browser, client, path, challenge } = await offered();
      expectRefusal(await register(browser, path, `"${forge(challenge)}"`), 422, "device_proof_wrong");
      server().clock.advance(11 * MINUTE);
      await expectSignedIn(client);
    });

    test("someone else's challenge", async () => {
      const { browser, client, path } = await offered();
      const { challenge } = await offered();
      const proof = makeProof(challenge, { key: browser.key, header: { jwk: browser.key.jwk } });
      expectRefusal(await register(browser, path, `"${proof}"`), 422, "device_proof_wrong");
      await expectSignedIn(client);
    });

    test("an expired challenge", async () => {
      const { browser, client, path, challenge } = await offered();
      server().clock.advance(16 * MINUTE);
      const proof = makeProof(challenge, { key: browser.key, header: { jwk: browser.key.jwk } });
      expectRefusal(await register(browser, path, `"${proof}"`), 422, "device_proof_wrong");
      await expectSignedIn(client);
    });

    test("the id of a session that doesn't exist", async () => {
      const { browser, client, challenge } = await offered();
      const proof = makeProof(challenge, { key: browser.key, header: { jwk: browser.key.jwk } });
      const ids = ["", "A".repeat(22), "A".repeat(4_000), "%00", "'"];
      for (const path of [REGISTRATION, ...ids.map((id) => `${REGISTRATION}?session=${id}`)])
        expectRefusal(await register(browser, path, `"${proof}"`), 401, "signed_out");
      await expectSignedIn(client);
    });

    test("a session that has ended, or has expired", async () => {
      const [ended, late] = [await offered(), await offered()];
      expectNoContent(await ended.client.delete("/api/session"));
      expectRefusal(await ended.browser.register(ended.signedIn), 401, "signed_out");
      server().clock.advance(31 * DAY);
      expectRefusal(await late.browser.register(late.signedIn), 401, "signed_out");
    });

    test("a second key for a session that has one", async () => {
      const { browser, client } = await signUpBound(server());
      const second = makeKey();
      const proof = makeProof(browser.challenge, { key: second, header: { jwk: second.jwk } });
      const path = `${REGISTRATION}?session=${browser.sessionId}`;
      expectRefusal(await register(browser, path, `"${proof}"`), 422, "device_proof_wrong");
      expect((await browser.refreshOnce()).status).toBe(200);
      await expectSignedIn(client);
    });
  });

  describe("at a refresh gets a challenge, and no cookie", () => {
    async function expectRefusalOf(forge: (browser: BoundBrowser) => string | undefined) {
      const { browser, client } = await signUpBound(server());
      const answer = await browser.send(REFRESH, {
        "Sec-Secure-Session-Id": `"${browser.sessionId}"`,
        "Secure-Session-Response": forge(browser),
      });
      expectRefusal(answer, 403, "device_proof_stale");
      expect(header(answer, "secure-session-challenge")).toMatch(/^"[\w-]{43}";id="[\w-]{22}"$/);
      expect((await browser.refreshOnce()).status).toBe(200);
      await expectSignedIn(client);
    }

    test.each(SHAPELESS)("%s", (_, proof) => expectRefusalOf(() => (proof === "" ? undefined : proof)));

    test("no signature", () => expectRefusalOf(({ challenge, key }) => `"${unsigned(challenge, key.jwk)}"`));

    test("another key, even if the proof contains it", () => {
      const key = makeKey();
      return expectRefusalOf(
        ({ challenge }) => `"${makeProof(challenge, { key, header: { jwk: key.jwk } })}"`,
      );
    });

    test("a challenge that was never given", () =>
      expectRefusalOf(({ key }) => `"${makeProof("A".repeat(43), { key })}"`));

    test("another session's challenge", async () => {
      const { browser: other } = await signUpBound(server());
      await expectRefusalOf(({ key }) => `"${makeProof(other.challenge, { key })}"`);
    });

    test("a proof that was used", async () => {
      const { browser } = await signUpBound(server());
      const proof = browser.proof();
      expect((await browser.refreshOnce(proof)).status).toBe(200);
      expectRefusal(await browser.refreshOnce(proof), 403, "device_proof_stale");
    });
  });

  test("another session's id is refused, and so is one that doesn't exist", async () => {
    const { browser } = await signUpBound(server());
    const { browser: other } = await signUpBound(server());
    const proof = browser.proof();
    const ask = (id: string) =>
      browser.send(REFRESH, { "Sec-Secure-Session-Id": id, "Secure-Session-Response": `"${proof}"` });
    expectRefusal(await ask(`"${other.sessionId}"`), 403, "device_proof_stale");
    for (const id of ['"AAAAAAAAAAAAAAAAAAAAAA"', '"', "é".repeat(3), `"${"A".repeat(4_000)}"`, '"\\""'])
      expectRefusal(await ask(id), 401, "signed_out");
  });

  test("someone who asks for challenges neither pushes out the browser's own nor causes writes", async () => {
    const { browser, client } = await signUpBound(server());
    const [before] = await rowOf(browser.sessionId);
    const stranger = server().client();
    await Promise.all(
      Array.from({ length: 200 }, () =>
        stranger.send("POST", REFRESH, { headers: { "Sec-Secure-Session-Id": `"${browser.sessionId}"` } }),
      ),
    );
    expect(await rowOf(browser.sessionId)).toEqual([before]);
    expect((await browser.refreshOnce()).status).toBe(200);
    await expectSignedIn(client);
  });

  test("if a refresh races an ending, the ending wins", async () => {
    for (let round = 0; round < 5; round++) {
      const { browser, client, ...person } = await signUpBound(server());
      const phone = await signIn(server(), person, UA.safariIphone);
      const [ended] = await Promise.all([
        phone.client.delete(`/api/sessions/${browser.sessionId}`),
        browser.refreshOnce(),
      ]);
      expectNoContent(ended);
      expect((await client.get("/api/session")).status).toBe(401);
      expectRefusal(await browser.refreshOnce(), 401, "signed_out");
    }
  });

  test("the bound cookie is stored as its hash only", async () => {
    const { browser, client } = await signUpBound(server());
    const bound = client.jar.get(BOUND) ?? "";
    expect(bound).toMatch(/^[\w-]{43}$/);
    expect(await rowOf(browser.sessionId)).toMatchObject([{ id: browser.sessionId }]);
    const stored = await allAtRest(server().database);
    for (const spelled of [bound, Buffer.from(bound, "base64url").toString("hex")])
      expect(stored).not.toContain(spelled);
  });

  function rowOf(id: string) {
    return server().database.read(`select * from session where id = '${id}'`);
  }
});
