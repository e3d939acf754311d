import { expect, test } from "vitest";
import {
  BOUND,
  copyOf,
  makeKey,
  makeProof,
  REFRESH,
  signUpBound,
} from "../support/browsers/bound-browser.ts";
import { header } from "../support/requests/answers.ts";
import { expectProblem, expectRefusal } from "../support/requests/expectations.ts";
import { activityOf } from "../support/requests/people.ts";
import { describeBehindEachProxy } from "./behind.ts";

const MAIN = "__Host-latchkey";

await describeBehindEachProxy(
  "A bound session behind a proxy",
  (behind) => {
    test("is bound and refreshed through it, and opens the app, which sees neither cookie", async () => {
      const { server, app, ask } = behind();
      const { client, browser, session } = await signUpBound(server);
      for (let round = 0; round < 3; round++) {
        const before = client.jar.get(BOUND);
        const answer = await browser.refreshOnce();
        expect(answer.status, answer.text).toBe(200);
        expect(client.jar.get(BOUND)).not.toBe(before);
      }
      const Cookie = `of=the-app; ${client.jar.header()}`;
      expect((await ask(client, "/notes", { headers: { Cookie } })).status).toBe(200);
      expect(app.last.headers["remote-session"]).toBe(browser.sessionId);
      expect(browser.sessionId).not.toBe(session.id);
      expect(app.last.headers.cookie?.replace(/;\s*$/, "")).toBe("of=the-app");
    });

    test("is told through it to sign another challenge", async () => {
      const { browser } = await signUpBound(behind().server);
      const answer = await browser.send(REFRESH, {
        "Sec-Secure-Session-Id": `"${browser.sessionId}"`,
        "Secure-Session-Response": `"${makeProof(browser.challenge, { key: makeKey() })}"`,
      });
      expectRefusal(answer, 403, "device_proof_stale");
      expect(header(answer, "secure-session-challenge")).toContain(`;id="${browser.sessionId}"`);
    });

    test("doesn't let in a copy of its main cookie, and tells its owner, unless the browser says that it skipped its proof", async () => {
      const { server, app, ask } = behind();
      const { client, browser } = await signUpBound(server);
      const copy = copyOf(server, client, [MAIN]);
      const before = app.heard.length;
      const skipped = `unreachable;session_identifier="${browser.sessionId}"`;
      const told = async () => {
        await server.outbox.all();
        return (await activityOf(client)).filter(({ kind }) => kind === "cookie_copy_used").length;
      };
      const headers = { "Secure-Session-Skipped": skipped };
      expectRefusal(await ask(copy, "/notes", { headers }), 401, "device_proof_needed");
      expect(await told()).toBe(0);
      expectRefusal(await ask(copy, "/notes"), 401, "device_proof_needed");
      expect(await told()).toBe(1);
      const page = await ask(copy, "/notes", {
        headers: { Accept: "text/html", "Sec-Fetch-Mode": "navigate" },
      });
      expect([page.status, header(page, "location")]).toEqual([302, expect.stringContaining("/auth/login")]);
      expect(app.heard).toHaveLength(before);
      expect((await ask(client, "/notes")).status).toBe(200);
    });

    test("has a bound cookie that proves nothing cleared through it, so that its browser gets another one", async () => {
      const { server, ask } = behind();
      const { client, browser } = await signUpBound(server);
      client.jar.set(BOUND, "A".repeat(43));
      const refused = await ask(client, "/notes");
      expectProblem(refused, 401, "device_proof_needed");
      expect(refused.setCookies).toEqual([expect.stringMatching(/^__Host-latchkey-bound=; Max-Age=0; /)]);
      client.jar.take(refused.setCookies);
      expect((await browser.refresh()).status).toBe(200);
      expect((await ask(client, "/notes")).status).toBe(200);
    });
  },
  { atPort: (port) => ({ baseUrl: `https://localhost:${port}/auth` }) },
);
