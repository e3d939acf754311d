import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { header } from "../support/answers.ts";
import { parseSetCookie } from "../support/cookie-jar.ts";
import { expectNoContent, expectRefusal } from "../support/expectations.ts";
import { freshEmail, PASSWORD, signIn, signUp } from "../support/people.ts";
import { systemProgram } from "../support/system-program.ts";
import { UA } from "../support/user-agents.ts";
import { type Behind, startBehind } from "./behind.ts";
import { NGINX } from "./proxies.ts";

const nginx = await systemProgram(NGINX.name, NGINX.debianPackage);
const APP = { Host: "app.example.test" };
const NAVIGATION = { Accept: "text/html", "Sec-Fetch-Mode": "navigate" };

describe.skipIf(nginx === null)("An app on a sub-domain beside Latchkey's", () => {
  let behind: Behind;
  beforeAll(async () => {
    behind = await startBehind(NGINX, nginx ?? "", {
      baseUrl: "http://login.example.test/auth",
      cookieDomain: "example.test",
      returnOrigins: "http://app.example.test",
    });
  });
  afterAll(() => behind?.stop());

  test("is reached with the cookie that the setting widened on purpose, and loses it with the session", async () => {
    const { server, ask } = behind;
    const person = await signUp(server);
    const other = await signIn(server, person, UA.firefoxWindows);
    expect((await ask(other.client, "/echo", { headers: APP })).status).toBe(200);
    expectNoContent(await person.client.delete(`/api/sessions/${other.session.id}`));
    expectRefusal(await ask(other.client, "/echo", { headers: APP }), 401, "signed_out");
  });

  test("names the domain in the session's cookie alone", async () => {
    const made = await behind.server
      .client()
      .post("/api/accounts", { email: freshEmail(), password: PASSWORD });
    const cookies = made.setCookies.map(parseSetCookie);
    const session = cookies.find(({ name }) => name === "latchkey");
    expect(session?.attributes.get("domain")).toBe("example.test");
    expect(session?.attributes.has("httponly")).toBe(true);
  });

  test("sends a stranger to the login page and back, and never to a site that isn't declared", async () => {
    const page = await behind.ask(null, "/notes?page=2", { headers: { ...APP, ...NAVIGATION } });
    expect([page.status, header(page, "location")]).toEqual([
      302,
      `http://login.example.test/auth/login?next=${encodeURIComponent("http://app.example.test/notes?page=2")}`,
    ]);
    const elsewhere = await behind.ask(null, "/", { headers: { Host: "evil.test", ...NAVIGATION } });
    expect(header(elsewhere, "location")).toBe("http://login.example.test/auth/login");
  });
});
