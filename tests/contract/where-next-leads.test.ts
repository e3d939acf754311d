import { describe, expect, test } from "vitest";
import { header } from "../support/requests/answers.ts";
import type { Headers } from "../support/requests/exchange.ts";
import { signUp } from "../support/requests/people.ts";
import { serverOn } from "../support/servers/sqlite-server.ts";

const OWN = "https://login.example.test";
const APP = "https://app.example.test";
const NAVIGATE = { Accept: "text/html", "Sec-Fetch-Mode": "navigate" };

/** Ways to write an address so that a careless check takes it for its own; each as bytes of a request. */
const TRICKS = [
  "//evil.example",
  "///evil.example",
  "////evil.example",
  "/\\evil.example",
  "\\\\evil.example",
  "\\/evil.example",
  "/\\/evil.example",
  "//\\evil.example",
  "/\t/evil.example",
  "\t//evil.example",
  " //evil.example",
  "/ /evil.example",
  "//evil.example:443",
  "//evil.example/@login.example.test",
  "//login.example.test@evil.example",
  "//login.example.test:80@evil.example/",
  "https:evil.example",
  "https:/evil.example",
  "https:\\\\evil.example",
  "https:\\evil.example",
  "https:///evil.example",
  "https://evil.example",
  "HTTPS://EVIL.EXAMPLE",
  "http://login.example.test/",
  "https://login.example.test:8443/",
  "https://login.example.test.evil.example/",
  "https://evil.example/login.example.test",
  "https://evil.example?https://login.example.test",
  "https://evil.example#https://login.example.test",
  "https://evil.example\\@login.example.test/",
  "https://evil.example\\.login.example.test/",
  "https://login.example.test@evil.example/",
  "https://login.example.test%40evil.example/",
  "https://login.example.test%2eevil.example/",
  "https://login.example.test%00.evil.example/",
  "https://login.example.test%0d%0aLocation:%20https://evil.example",
  "https://login.example.test./",
  "https://evil-login.example.test/",
  "https://xlogin.example.test/",
  "https://example.test/",
  "https://login。example。test.evil.example/",
  "https://evil。example/",
  "https://evil．example/",
  "https:／／evil.example/",
  "//evil%E3%80%82example",
  "https://lоgin.example.test/",
  "https://ⅼogin.example.test@evil.example/",
  "https://user@login.example.test/",
  "https://:password@login.example.test/",
  "https://[::1]/",
  "https://127.0.0.1/",
  "https://2130706433/",
  "https://0x7f.1/",
  "javascript:alert(1)",
  "JaVaScRiPt:alert(1)",
  "java\tscript:alert(1)",
  "javascript://login.example.test/%0aalert(1)",
  "data:text/html,<script>alert(1)</script>",
  "vbscript:msgbox(1)",
  "blob:https://login.example.test/0b4e",
  "filesystem:https://login.example.test/x",
  "view-source:https://login.example.test/",
  "about:blank",
  "file:///etc/passwd",
  "ftp://login.example.test/",
  "wss://login.example.test/",
  "mailto:a@login.example.test",
  "intent://login.example.test/#Intent;end",
  "http://[",
  "https://",
  "https://%",
  `https://evil.example/${"a".repeat(8_000)}`,
  `/${"a".repeat(8_000)}`,
  "",
  "%2f%2fevil.example",
  "%5cevil.example",
  "/%09/evil.example",
  "/%0d%0aSet-Cookie:latchkey=x",
  "/..//evil.example",
  "/.//evil.example",
  "@evil.example",
  ".evil.example",
  "?//evil.example",
  "#//evil.example",
];

/** Where a browser that reads this would go; null if it stays. */
const originOf = (location: string) => {
  if (location === "") return null;
  const { protocol, host } = new URL(location, OWN);
  return `${protocol}//${host}`;
};

describe("The way back after a sign-in", () => {
  const server = serverOn({ baseUrl: OWN, returnOrigins: APP });

  test.each(TRICKS)(
    "stays at home with ?next=%j, for people who are signed in and for those who aren't",
    async (next) => {
      const { client } = await signedIn();
      const queries = [`next=${encodeURIComponent(next)}`, `next=${encodeURIComponent(next)}&next=/x`];
      if (/^[!-~]+$/.test(next)) queries.push(`next=${next.replaceAll("#", "%23")}`);
      for (const query of queries) {
        const answer = await client.get(`/login?${query}`, NAVIGATE);
        expect(answer.status).toBe(302);
        expect(originOf(header(answer, "location")), query).toBe(OWN);
        expect(answer.setCookies).toEqual([]);
        expect((await server().client().get(`/login?${query}`, NAVIGATE)).headers.location).toBeUndefined();
      }
    },
  );

  test("stays at home, whatever a client says was asked for in front of an app", async () => {
    const given = TRICKS.filter((trick) => !/[\r\n]/.test(trick)).map((trick) => {
      // As UTF-8 bytes, which is what a hostile client's header contains.
      return Buffer.from(trick, "utf8").toString("latin1");
    });
    const asked = given.flatMap((trick): Headers[] => [
      { "X-Original-URL": trick },
      { "X-Forwarded-Uri": trick },
      { "X-Forwarded-Host": trick, "X-Forwarded-Uri": "/x" },
      { "X-Forwarded-Proto": trick, "X-Forwarded-Host": "login.example.test", "X-Forwarded-Uri": "/x" },
      { "X-Forwarded-Host": "login.example.test", "X-Forwarded-Uri": trick, "X-Forwarded-Proto": "https" },
    ]);
    const led: string[] = [];
    for (const headers of asked)
      for (const path of ["/verify", "/verify?mode=nginx"]) {
        const answer = await server()
          .client()
          .get(path, { ...NAVIGATE, ...headers });
        expect([302, 401]).toContain(answer.status);
        const location = new URL(header(answer, "location"));
        expect(location.origin + location.pathname).toBe(`${OWN}/login`);
        const next = location.searchParams.get("next");
        if (next !== null) led.push(next);
      }
    expect(led).not.toEqual([]);
    expect(led.filter((next) => originOf(next) !== OWN || !next.startsWith("https:"))).toEqual([]);
  });

  test.each([
    [{ "X-Original-URL": `${APP}/notes?x=1` }, `${APP}/notes?x=1`],
    [{ "X-Forwarded-Proto": "https, http", "X-Forwarded-Host": "app.example.test, 10.0.0.1" }, `${APP}/`],
    [
      { "X-Forwarded-Proto": "HTTPS", "X-Forwarded-Host": "App.Example.Test", "X-Forwarded-Uri": "/A,b?c" },
      `${APP}/A,b?c`,
    ],
    [{ "X-Forwarded-Uri": "//evil.example" }, `${OWN}//evil.example`],
  ])("leads on to what is allowed: %j", async (headers, next) => {
    const answer = await server()
      .client()
      .get("/verify", { ...NAVIGATE, ...headers });
    expect(header(answer, "location")).toBe(`${OWN}/login?next=${encodeURIComponent(next)}`);
  });

  test("is left out if it is so long that no proxy would let the answer through", async () => {
    const { client } = await signedIn();
    const stranger = server().client();
    const leads = async (length: number) => {
      // Each of its characters takes three in a URL.
      const path = `/settings/security?x=${"/".repeat(length)}`;
      const asked = `${OWN}${path}`;
      const inFront = await stranger.get("/verify", { ...NAVIGATE, "X-Original-URL": asked });
      const past = await client.get(`/login?next=${asked}`, NAVIGATE);
      return [await stranger.get(path, NAVIGATE), inFront, past].map((answer) => header(answer, "location"));
    };
    const next = `${OWN}/settings/security?x=${"/".repeat(900)}`;
    const login = `${OWN}/login?next=${encodeURIComponent(next)}`;
    expect(await leads(900)).toEqual([login, login, next]);
    expect(await leads(1_000)).toEqual([`${OWN}/login`, `${OWN}/login`, `${OWN}/settings/security`]);
    const error = await client.get(`/login?error=${"%20".repeat(1_000)}`, NAVIGATE);
    expect(header(error, "location")).toBe(`${OWN}/settings/security`);
  });

  let person: ReturnType<typeof signUp> | undefined;
  function signedIn() {
    person ??= signUp(server());
    return person;
  }
});
