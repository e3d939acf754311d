import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { browserFor } from "../support/browsers/browser.ts";
import { header } from "../support/requests/answers.ts";
import { expectNoContent, expectRefusal } from "../support/requests/expectations.ts";
import { PASSWORD, signIn, signUp, signUpConfirmed } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { systemProgram } from "../support/runs/system-program.ts";
import { type Behind, startBehind } from "./behind.ts";
import { NGINX } from "./proxies.ts";

const NAVIGATE = { Accept: "text/html", "Sec-Fetch-Mode": "navigate" };

const nginx = await systemProgram(NGINX.name, NGINX.debianPackage);

describe.skipIf(nginx === null)("Latchkey on a sub-domain, an app on another", () => {
  let behind: Behind;
  let app = "";
  beforeAll(async () => {
    behind = await startBehind({ ...NGINX, file: "sub-domains.conf" }, nginx ?? "", {
      cookieDomain: "example.localhost",
      atPort: (port) => ({
        baseUrl: `http://login.example.localhost:${port}`,
        returnOrigins: `http://app.example.localhost:${port}`,
      }),
    });
    app = `http://app.example.localhost:${behind.proxyPort}`;
  });
  afterAll(() => behind?.stop());
  const browser = browserFor();

  test("the app is told who signed in there, without the shared cookie", async () => {
    const { server, ask, app: heard } = behind;
    const { client, email, account } = await signUpConfirmed(server);
    const Host = new URL(app).host;
    const planted = `${client.jar.header()}; __Secure-latchkey=x; theme=dark`;
    const answer = await ask(client, "/", { headers: { Host, Cookie: planted, "Remote-User": "root" } });
    expect(answer.status).toBe(200);
    expect(heard.last.headers).toMatchObject({
      "remote-user": email,
      "remote-account": account.id,
      host: Host,
    });
    expect((heard.last.headers.cookie ?? "").replace(/; $/, "")).toBe("theme=dark");
  });

  test("the app isn't told an unconfirmed address, whatever a client says", async () => {
    const { server, ask, app: heard } = behind;
    const { client, account } = await signUp(server);
    const headers = { Host: new URL(app).host, "Remote-User": "root" };
    expect((await ask(client, "/", { headers })).status).toBe(200);
    expect(heard.last.headers).toMatchObject({ "remote-account": account.id });
    expect(heard.last.headers).not.toHaveProperty("remote-user");
  });

  test("an ended session loses the app at its next request, and the login page knows the way back", async () => {
    const { server, ask, app: heard } = behind;
    const person = await signUp(server);
    const other = await signIn(server, person, UA.firefoxWindows);
    const Host = new URL(app).host;
    expect((await ask(other.client, "/", { headers: { Host } })).status).toBe(200);
    expectNoContent(await person.client.delete(`/api/sessions/${other.session.id}`));
    const before = heard.heard.length;
    expectRefusal(await ask(other.client, "/", { headers: { Host } }), 401, "signed_out");
    const page = await ask(other.client, "/notes?x=1", { headers: { Host, ...NAVIGATE } });
    expect(header(page, "location")).toBe(
      `${server.baseUrl}/login?next=${encodeURIComponent(`${app}/notes?x=1`)}`,
    );
    expect(heard.heard).toHaveLength(before);
  });

  test("a page of the app can't act on the account with the cookie that it shares", async () => {
    const { client } = await signUp(behind.server);
    for (const headers of [{ Origin: app }, { Origin: app, "Sec-Fetch-Site": "same-site" }]) {
      const answer = await client.delete("/api/sessions", undefined, {
        "Sec-Fetch-Site": undefined,
        ...headers,
      });
      expectRefusal(answer, 403, "cross_site");
    }
  });

  test("a real browser signs in on one, works on the other, and is logged out on both", async () => {
    const person = await signUpConfirmed(behind.server);
    const { page } = await browser.device({ userAgent: UA.firefoxWindows });
    await page.goto(`${app}/notes?of=today`);
    expect(page.url().startsWith(`${behind.server.baseUrl}/login`)).toBe(true);
    await page.getByLabel("Email").fill(person.email);
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Log in", exact: true }).click();
    await page.getByRole("heading", { name: `Hello, ${person.email}` }).waitFor();
    expect(page.url()).toBe(`${app}/notes?of=today`);
    await page.goto(`${behind.server.baseUrl}/settings/security`);
    await page.getByRole("button", { name: /account menu/ }).click();
    await page.getByRole("menuitem", { name: "Log out" }).click();
    await page.getByRole("button", { name: "Log in", exact: true }).waitFor();
    await page.goto(app);
    expect(page.url().startsWith(`${behind.server.baseUrl}/login`)).toBe(true);
  });
});
