import { describe, expect, test } from "vitest";
import { pageRoutes } from "../../src/http/pages/pages.ts";
import { api } from "../../src/http/routes.ts";
import { findForOperator, suspend } from "../../src/operator.ts";
import { contentsOf } from "../support/databases/at-rest.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { addPasskey } from "../support/login-methods/passkeys.ts";
import { need } from "../support/requests/answers.ts";
import type { Client } from "../support/requests/client.ts";
import {
  expectStatus,
  halfSignIn,
  type Person,
  signIn,
  signUp,
  turnOnTwoFactor,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor } from "../support/servers/server.ts";

const SAFE = ["GET", "HEAD", "OPTIONS"];

/** The rows of the API that anyone may call. A new one is added here only on purpose. */
const OPEN = [
  "GET /api/oidc/:provider/callback",
  "GET /api/oidc/:provider/start",
  "GET /api/openapi.json",
  "GET /healthz",
  "GET /readyz",
  "POST /api/accounts",
  "POST /api/email-confirmations",
  "POST /api/email-confirmations/preview",
  "POST /api/email-reversals",
  "POST /api/not-me",
  "POST /api/passkeys/options",
  "POST /api/password-resets",
  "POST /api/session",
  "POST /api/session/device-binding",
  "POST /api/session/device-binding/refresh",
  "POST /api/session/passkey",
  "POST /api/session/passkey/options",
  "POST /api/session/two-factor",
  "PUT /api/accounts",
  "PUT /api/password-resets",
];

const rows = api.map(({ method, path, session }) => ({ method, path, session }));
const guarded = rows.filter(({ session }) => session === "required");
const open = rows.filter(({ session }) => session !== "required");
const methodsOf = (method: string) => (method === "ALL" ? ["GET", "POST", "PUT", "DELETE"] : [method]);

test("the rows that need no session are these, and the others are refused without one below", () => {
  expect(open.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(OPEN);
  expect(guarded.length).toBeGreaterThan(20);
});

test("no row belongs to an operator: what operators do is not there over HTTP", () => {
  expect(rows.filter(({ path }) => /admin|operator|suspend|api\/accounts\/|users?\b/.test(path))).toEqual([]);
});

describeOnEachEngine("Every row of the API", (engine) => {
  const server = serverFor(engine, { rateLimits: "off", baseUrl: "https://login.example.test" });

  /** Everything that is stored, once every email that was begun has gone out. */
  async function stored() {
    await server().outbox.all();
    return contentsOf(server().database);
  }

  /** Requests without a session, each with all the cookies that it can have. */
  const OUTSIDERS = {
    "nobody at all": async () => server().client(),
    "a made-up token": async () => {
      const client = server().client();
      client.token = `lk1_${"A".repeat(43)}`;
      return client;
    },
    "the id of a live session": async ({ session }) => {
      const client = server().client();
      client.token = session.id;
      return client;
    },
    "a session that was ended": async () => {
      const person = await signUp(server());
      const { client } = await signIn(server(), person, UA.firefoxWindows);
      const { token } = client;
      expectStatus(204, await client.delete("/api/session"));
      client.token = token;
      return client;
    },
    "an account that is suspended": async () => {
      const { email, client } = await signUp(server());
      const { parts } = server().latchkey;
      const found = await findForOperator(parts, email);
      if (!found.ok) throw new Error("The account isn't there.");
      await suspend(parts, found.account, server().clock.now());
      return client;
    },
    "a pending sign-in": async () => {
      const person = await signUp(server());
      await turnOnTwoFactor(server(), person);
      return halfSignIn(server(), person, UA.firefoxWindows);
    },
    "a pending sign-in's cookie as the session's": async () => {
      const person = await signUp(server());
      await turnOnTwoFactor(server(), person);
      const client = await halfSignIn(server(), person, UA.firefoxWindows);
      const name = client.jar.names().find((one) => one.includes("sign-in")) ?? "";
      client.token = client.jar.get(name) ?? "";
      expect(client.token).not.toBe("");
      return client;
    },
  } satisfies Record<string, (victim: Person) => Promise<Client>>;

  /** A body that names the account it would like to be, and a path with ids that exist. */
  function askFor(victim: Person, methodId: string) {
    const { id } = victim.account;
    const wished = { id, accountId: id, userId: id, sessionId: victim.session.id, email: victim.email };
    return {
      body: JSON.stringify({ ...wished, role: "admin", currentPassword: victim.password, password: "x" }),
      at: (path: string) => {
        const ofSession = path.includes("/sessions/");
        const target = path
          .replace(":id", encodeURIComponent(ofSession ? victim.session.id : methodId))
          .replace(":provider", "acme");
        return `${target}?${new URLSearchParams(wished)}`;
      },
    };
  }

  async function victimWithPasskey() {
    const person = await signUp(server());
    await addPasskey(server(), person.client);
    const methods = need(expectStatus(200, await person.client.get("/api/account/login-methods")), "methods");
    return { person, methodId: methods.find(({ kind }) => kind === "passkey")?.id ?? "none" };
  }

  describe.each(Object.entries(OUTSIDERS))("that needs a session refuses %s", (_name, outsider) => {
    test("with 401, whatever it says about itself, and changes nothing", async () => {
      const { person, methodId } = await victimWithPasskey();
      const client = await outsider(person);
      const { at, body } = askFor(person, methodId);
      const before = await stored();
      const let_in: string[] = [];
      for (const { method: row, path } of guarded)
        for (const method of methodsOf(row)) {
          const sent = SAFE.includes(method) ? {} : { body };
          const { status, body: answered, setCookies } = await client.send(method, at(path), sent);
          if (status !== 401 || answered.code !== "signed_out" || setCookies.length > 0)
            let_in.push(`${method} ${path}: ${status} ${answered.code}`);
        }
      expect(let_in).toEqual([]);
      expect(await stored()).toEqual(before);
    });
  });

  test("that needs none answers a half-finished sign-in as it answers nobody, but for its second step", async () => {
    const half = await OUTSIDERS["a pending sign-in"]();
    const different: string[] = [];
    for (const { method, path } of open) {
      const target = path.replace(":provider", "acme");
      const [ofHalf, ofNobody] = [half, server().client()].map((client) =>
        client.send(method, target, SAFE.includes(method) ? {} : { body: '{"code":"000000"}' }),
      );
      const [one, other] = [await ofHalf, await ofNobody];
      if (one?.status !== other?.status || one?.body.code !== other?.body.code)
        different.push(`${method} ${path}`);
    }
    expect(different).toEqual(["POST /api/session/two-factor"]);
    expect((await half.get("/api/session")).status).toBe(401);
  });

  test("that names a thing by its id answers 404 for another person's, and leaves it as it is", async () => {
    const { person, methodId } = await victimWithPasskey();
    const { client } = await signUp(server(), { userAgent: UA.firefoxLinux });
    const named = guarded.filter(({ path }) => path.includes(":id"));
    expect(named.length).toBeGreaterThan(2);
    const before = await stored();
    const answers: string[] = [];
    for (const { method, path } of named) {
      const ids = [person.session.id, person.account.id, methodId, "password"];
      for (const id of ids) {
        const target = path.replace(":id", encodeURIComponent(id));
        const { status } = await client.send(method, target, { body: JSON.stringify({ name: "Mine" }) });
        if (status < 400) answers.push(`${method} ${target}: ${status}`);
        if (id !== "password" && status !== 404) answers.push(`${method} ${target}: ${status}`);
      }
    }
    expect(answers).toEqual([]);
    expect(await stored()).toEqual(before);
  });

  test("acts on the account of its session alone, whichever its query and body name", async () => {
    const { person, methodId } = await victimWithPasskey();
    const other = await signUp(server(), { userAgent: UA.firefoxLinux });
    const { at, body } = askFor(person, methodId);
    const rowsOf = async () => {
      const all = Object.entries(await stored());
      return all.map(([table, lines]) => [table, lines.filter((line) => line.includes(person.account.id))]);
    };
    const before = await rowsOf();
    const told: string[] = [];
    for (const { method, path } of guarded) {
      if (path === "/api/live" || (method === "DELETE" && /account$|session$/.test(path))) continue;
      const answer = await other.client.send(method, at(path), SAFE.includes(method) ? {} : { body });
      const known = [person.account.id, person.session.id, methodId];
      if (known.some((id) => answer.text.includes(id))) told.push(`${method} ${path}`);
      expect(need(await other.client.get("/api/session"), "account").id).toBe(other.account.id);
    }
    expect(told).toEqual([]);
    expect(await rowsOf()).toEqual(before);
  });

  test("and every page, by GET, HEAD and OPTIONS, changes nothing, and uses up no link", async () => {
    const { person, methodId } = await victimWithPasskey();
    const { at } = askFor(person, methodId);
    const { client } = person;
    const token = await server().outbox.tokenFor(person.email, "/confirm-email");
    expectStatus(204, await client.post("/api/email-confirmations", { token }));
    expectStatus(202, await server().client().post("/api/password-resets", { email: person.email }));
    const reset = await server().outbox.tokenFor(person.email, "/reset-password");
    const paths = new Set([...api, ...pageRoutes(null)].map(({ path }) => path));
    const before = await stored();
    const emails = (await server().outbox.all()).length;
    for (const path of paths)
      for (const method of SAFE) {
        if (path === "/api/live" && method === "GET") continue;
        const target = `${at(path)}&token=${reset}`.replace(":file", "none.js");
        const headers = { "X-HTTP-Method-Override": "DELETE", "X-Method-Override": "DELETE" };
        const { status } = await client.send(method, target, { headers });
        expect(status, `${method} ${target}`).toBeLessThan(500);
      }
    expect(await stored()).toEqual(before);
    expect((await server().outbox.all()).length).toBe(emails);
    expectStatus(200, await client.get("/api/session"));
    const body = { token: reset, password: "velvet-Harbour-thistle-23" };
    expectStatus(204, await server().client().put("/api/password-resets", body));
  });
});
