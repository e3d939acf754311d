import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { api } from "../../src/http/routes.ts";
import { browserFor, type Device } from "../support/browsers/browser.ts";
import { contentsOf } from "../support/databases/at-rest.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { PASSWORD, type Person, signUp } from "../support/requests/people.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";
import { OTHER, OWN, SIBLING, type Sites, startSites } from "../support/servers/sites.ts";

const FORMS = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"];
/** A form without fields: its body is empty, so only its origin can tell that it must be refused. */
const NO_FIELDS = "";

/** What another site's page can send without a preflight, and what it can only try to send. */
const TRIES = `async ({ at, body }) => {
  const simple = ["text/plain", "application/x-www-form-urlencoded"];
  const tries = [
    ...simple.map((type) => ["POST", "no-cors", type]),
    ["POST", "cors", "text/plain"],
    ...["POST", "PUT", "DELETE"].map((method) => [method, "cors", "application/json"]),
  ];
  for (const [method, mode, type] of tries) {
    const signal = AbortSignal.timeout(5_000);
    const headers = { "Content-Type": type };
    await fetch(at, { method, mode, body, headers, signal, credentials: "include" }).catch(() => {});
  }
  // Without a body there is no type to refuse, and no question beforehand.
  const bare = { method: "POST", mode: "no-cors", credentials: "include", signal: AbortSignal.timeout(5_000) };
  await fetch(at, bare).catch(() => {});
  navigator.sendBeacon(at, new Blob([body], { type: "text/plain" }));
  const image = new Image();
  const done = new Promise((resolve) => { image.onload = image.onerror = resolve; setTimeout(resolve, 2_000); });
  image.src = at + "?_method=DELETE";
  await done;
}`;

const SUBMIT = `({ at, enctype, fields, name }) => {
  const form = Object.assign(document.createElement("form"), { method: "POST", action: at, enctype, target: name });
  for (const [name, value] of Object.entries(fields)) {
    const input = Object.assign(document.createElement("input"), { name, value });
    form.append(input);
  }
  document.body.append(form);
  form.submit();
}`;

describeOnEachEngine("A page of another site, in the browser of someone who is logged in", (engine) => {
  let server: TestServer;
  let sites: Sites;
  beforeAll(async () => {
    sites = await startSites(() => server.port);
    server = await startServer({ engine, rateLimits: "off", baseUrl: `http://${OWN}:${sites.port}` });
  });
  afterAll(async () => {
    await server.close();
    await sites.close();
  });

  async function loggedIn(device: Device): Promise<Person> {
    const person = await signUp(server);
    const cookies = person.client.jar.names().map((name) => ({
      name,
      value: person.client.jar.get(name) ?? "",
      url: server.baseUrl,
      sameSite: "Lax" as const,
      httpOnly: true,
    }));
    await device.context.addCookies(cookies);
    return person;
  }

  /** A body that would be accepted on every row: all the fields that any of them needs. */
  const bodyOf = ({ email, session }: Person) => ({
    email,
    password: PASSWORD,
    currentPassword: PASSWORD,
    newPassword: "velvet-Harbour-thistle-23",
    id: session.id,
    token: "A".repeat(43),
    intent: "connect",
    name: "Mine",
  });

  const paths = [...new Set(api.map(({ path }) => path))].filter((path) => path !== "/api/live");
  const targetOf = (path: string, { session }: Person) =>
    server.baseUrl + path.replace(":id", session.id).replace(":provider", "acme");

  async function stored(): Promise<Record<string, string[]>> {
    await server.outbox.all();
    return contentsOf(server.database);
  }

  describe.each([
    ["as people use it", browserFor({ laxer: false })],
    ["that doesn't keep sites apart", browserFor()],
  ])("in a Chromium %s", (_how, browser) => {
    test.each([
      ["another site", OTHER],
      ["a sibling sub-domain", SIBLING],
    ])(
      "changes nothing from %s: not by a script, a beacon, an image or a form, on any row",
      async (_where, host) => {
        const device = await browser.device();
        const person = await loggedIn(device);
        const { page, context } = device;
        const evil = `http://${host}:${sites.port}/`;
        const body = bodyOf(person);
        const [before, cookies] = [await stored(), await context.cookies()];
        await page.goto(evil);
        for (const path of paths) {
          const at = targetOf(path, person);
          await page.evaluate(`(${TRIES})(${JSON.stringify({ at, body: JSON.stringify(body) })})`);
        }
        const forms: string[] = [];
        sites.forms.length = 0;
        const posts = api.filter(({ method }) => method === "POST" || method === "ALL");
        const asText = { [JSON.stringify(body).replace(/}$/, ',"x":"')]: '"}' };
        for (const { path } of posts)
          for (const enctype of path === "/api/session" ? FORMS : ["text/plain", NO_FIELDS]) {
            const at = targetOf(path, person);
            const fields = enctype === NO_FIELDS ? {} : enctype === "text/plain" ? asText : body;
            const name = `form${forms.length}`;
            forms.push(new URL(at).pathname);
            await page.evaluate(`(${SUBMIT})(${JSON.stringify({ at, enctype, fields, name })})`);
          }
        await expect.poll(() => sites.forms.length).toBe(forms.length);
        expect(sites.forms.map(({ path }) => path).sort()).toEqual(forms.sort());
        const letIn = sites.forms.filter(({ path, status }) => status < 400 && path !== "/verify");
        expect(letIn).toEqual([]);
        expect(await stored()).toEqual(before);
        expect(await context.cookies()).toEqual(cookies);
        const own = await person.client.get("/api/session");
        expect(own.status).toBe(200);
      },
      240_000,
    );

    test("logs nobody in: to an account of the attacker's there is no way from there", async () => {
      const attacker = await signUp(server);
      const { page, context } = await browser.device();
      for (const host of [OTHER, SIBLING]) {
        await page.goto(`http://${host}:${sites.port}/`);
        for (const path of ["/api/session", "/api/accounts"]) {
          const given = { at: server.baseUrl + path, body: JSON.stringify(bodyOf(attacker)) };
          await page.evaluate(`(${TRIES})(${JSON.stringify(given)})`);
        }
      }
      expect(await context.cookies()).toEqual([]);
    });
  });

  test("a cookie that a sibling plants neither hides the real one nor outlives the sign-in", async () => {
    const browser = await planted();
    expect(browser).toEqual({ before: 200, after: 200 });
  });

  const sibling = browserFor({ laxer: false });
  /**
   * Plants the attacker's expired and made-up cookies for the whole site, for a longer path too, and checks
   * who is signed in.
   */
  async function planted(): Promise<{ before: number; after: number }> {
    const device = await sibling.device();
    await loggedIn(device);
    const { page } = device;
    const status = () => page.evaluate<number>("fetch('/api/session').then((answer) => answer.status)");
    await page.goto(`${server.baseUrl}/login`);
    const before = await status();
    await page.goto(`http://${SIBLING}:${sites.port}/`);
    for (const path of ["/", "/api", "/api/session"])
      for (const name of ["latchkey", "latchkey-device", "latchkey-sign-in"])
        await page.evaluate(
          `document.cookie = "${name}=lk1_${"B".repeat(43)}; domain=site.localhost; path=${path}"`,
        );
    await page.goto(`${server.baseUrl}/login`);
    return { before, after: await status() };
  }
});
