import { expect, test } from "vitest";
import { header } from "../support/requests/answers.ts";
import { exchangeBytes } from "../support/requests/exchange.ts";
import { expectNoContent, expectRefusal } from "../support/requests/expectations.ts";
import { signIn, signUp, signUpConfirmed, verifyEmail } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import type { Heard } from "./app-behind.ts";
import { describeBehindEachProxy } from "./behind.ts";

/** Every header with which an app might be told who it is, whatever its spelling, in the order they came. */
function identityIn({ rawHeaders }: Heard): [string, string][] {
  const pairs = rawHeaders.flatMap((name, index): [string, string][] =>
    index % 2 === 0 ? [[name.toLowerCase().replace(/[^a-z]/g, "-"), rawHeaders[index + 1] ?? ""]] : [],
  );
  return pairs.filter(([name]) => /^(x-)?(remote|forwarded-(user|email|groups))\b/.test(name));
}

const FORGED = {
  "Remote-User": ["root@example.test", "admin@example.test"],
  "remote-account": "1",
  "REMOTE-SESSION": "1",
  "Remote-Groups": "admins",
  "Remote-Email": "root@example.test",
  "Remote-Name": "Root",
  Remote_User: "root@example.test",
  remote_account: "1",
  "Remote.User": "root@example.test",
  "X-Remote-User": "root@example.test",
  "X-Forwarded-User": "root@example.test",
};

await describeBehindEachProxy("An app behind a proxy", (behind) => {
  test("is told who signed in, at a sign-in that went through the same proxy", async () => {
    const { server, app, ask } = behind();
    const { client, account, session, email } = await signUpConfirmed(server);
    const answer = await ask(client, "/notes?of=today");
    expect(answer.status).toBe(200);
    expect(answer.text).toContain(`Hello, ${email}`);
    expect(app.last.path).toBe("/notes?of=today");
    expect(identityIn(app.last).sort()).toEqual([
      ["remote-account", account.id],
      ["remote-session", session.id],
      ["remote-user", email],
    ]);
  });

  test("isn't told an unconfirmed address, nor one that a client claims, until it is confirmed", async () => {
    const { server, app, ask } = behind();
    const person = await signUp(server);
    const { client, account, session, email } = person;
    const ids = [
      ["remote-account", account.id],
      ["remote-session", session.id],
    ];
    for (const headers of [{}, { "Remote-User": email }, FORGED]) {
      expect((await ask(client, "/", { headers })).status).toBe(200);
      expect(
        identityIn(app.last)
          .filter(([name, value]) => name === "remote-user" || value !== "")
          .sort(),
      ).toEqual(ids);
      expect(app.last.rawHeaders.join("\n")).not.toMatch(/root|admin/);
    }
    await verifyEmail(server, person);
    expect((await ask(client, "/", { headers: FORGED })).status).toBe(200);
    expect(app.last.headers["remote-user"]).toBe(email);
  });

  test("loses a device at the next request after it was logged out from another one", async () => {
    const { server, app, ask } = behind();
    const person = await signUp(server);
    const other = await signIn(server, person, UA.firefoxWindows);
    expect((await ask(other.client, "/")).status).toBe(200);
    expectNoContent(await person.client.delete(`/api/sessions/${other.session.id}`));
    const before = app.heard.length;
    const refused = await ask(other.client, "/");
    expectRefusal(refused, 401, "signed_out");
    expect(refused.body).toMatchObject({ reason: "signed_out_remotely", by: "Chrome on Mac OS" });
    expect(app.heard).toHaveLength(before);
    expect((await ask(person.client, "/")).status).toBe(200);
  });

  test("never hears what a client says about who it is", async () => {
    const { server, app, ask } = behind();
    const { client, account, session, email } = await signUpConfirmed(server);
    expect((await ask(client, "/", { headers: FORGED })).status).toBe(200);
    expect(
      identityIn(app.last)
        .filter(([, value]) => value !== "")
        .sort(),
    ).toEqual([
      ["remote-account", account.id],
      ["remote-session", session.id],
      ["remote-user", email],
    ]);
    expect(app.last.rawHeaders.join("\n")).not.toMatch(/root|admin/);
    const before = app.heard.length;
    expectRefusal(await ask(null, "/", { headers: FORGED }), 401, "signed_out");
    expect(app.heard).toHaveLength(before);
  });

  test.each(["Remote-User", "Cookie, Remote-User, X-Forwarded-Host, close"])(
    "is told who it is, or isn't asked, when a client names headers for the way only: %s",
    async (connection) => {
      const { server, app, ask } = behind();
      const { client, email } = await signUpConfirmed(server);
      const before = app.heard.length;
      const answer = await ask(client, "/", { headers: { Connection: connection } });
      const told = app.heard.slice(before).map(({ headers }) => headers["remote-user"]);
      expect([200, 401]).toContain(answer.status);
      expect(told).toEqual(answer.status === 200 ? [email] : []);
    },
  );

  test("never sees a cookie of Latchkey's, and sees all of its own", async () => {
    const { server, app, ask } = behind();
    const { client } = await signUp(server);
    const planted = ["__Host-latchkey=x", "__Secure-latchkey=y", "latchkey-ceremony=z"];
    const own = "theme=dark; cart=a=b%20c; notlatchkey=1; empty=";
    const orders = [
      `${client.jar.header()}; ${own}`,
      `${own}; ${client.jar.header()}`,
      `theme=dark; ${planted.join("; ")}; cart=a=b%20c; ${client.jar.header()}; notlatchkey=1; empty=`,
      `theme=dark;${client.jar.header().replaceAll("; ", ";")};cart=a=b%20c;notlatchkey=1;empty=`,
    ];
    for (const Cookie of orders) {
      expect((await ask(client, "/", { headers: { Cookie } })).status).toBe(200);
      const heard = (app.last.headers.cookie ?? "").split(";").map((pair) => pair.trim());
      expect(heard.filter((pair) => pair !== "")).toEqual(own.split("; "));
    }
    expect((await ask(client, "/")).status).toBe(200);
    expect([undefined, ""]).toContain(app.last.headers.cookie);
  });

  test("gets no token, however many cookies or Cookie headers a browser sends", async () => {
    const { server, app, ask } = behind();
    const { client } = await signUp(server);
    const many = Array.from({ length: 12 }, (_, index) => `latchkey-${index}=${index}`).join("; ");
    const { token } = client;
    await ask(client, "/", { headers: { Cookie: `a=1; ${many}; ${client.jar.header()}; b=2` } });
    await ask(client, "/", { headers: { Cookie: [`a=1; latchkey=${token}`, `latchkey=${token}; b=2`] } });
    expect(app.heard.flatMap(({ rawHeaders }) => rawHeaders).join("\n")).not.toContain(token);
    expect(app.heard.map(({ headers }) => headers.cookie).join("\n")).not.toMatch(/(^|\s)latchkey/m);
  });

  test("is told the address, host and scheme by the proxy, not by a client", async () => {
    const { server, app, ask, proxyPort } = behind();
    const { client } = await signUp(server);
    const headers = {
      "X-Forwarded-For": "203.0.113.7",
      "X-Forwarded-Host": "evil.example",
      "X-Forwarded-Proto": "https",
      X_Forwarded_For: "203.0.113.7",
      "X-Real-IP": "203.0.113.7",
      Forwarded: "for=203.0.113.7;host=evil.example",
      "X-Forwarded-Port": "4443",
      "X-Forwarded-Prefix": "/evil",
    };
    expect((await ask(client, "/", { headers })).status).toBe(200);
    expect(app.last.headers).toMatchObject({
      host: `localhost:${proxyPort}`,
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-host": `localhost:${proxyPort}`,
      "x-forwarded-proto": "http",
      "x-real-ip": "127.0.0.1",
    });
    expect(app.last.rawHeaders.join("\n")).not.toMatch(/203\.0\.113\.7|evil|4443/);
  });

  test("gets what was sent to it complete, and may fail on its own", async () => {
    const { server, app, ask } = behind();
    const { client } = await signUp(server);
    const body = Buffer.alloc(2_000_000, "x");
    for (const method of ["POST", "PUT"]) {
      expect((await ask(client, "/upload", { method, body })).status).toBe(200);
      expect(app.last).toMatchObject({ method, bodyBytes: body.length });
    }
    expect((await ask(client, "/", { method: "HEAD" })).status).toBe(200);
    expect(app.last.method).toBe("HEAD");
    const broken = await ask(client, "/broken");
    expect(broken.status).toBe(500);
    expect(broken.text).toContain("Hello");
  });

  test("can't be reached by a stranger, whatever the path, method or spelling", async () => {
    const { app, ask, proxyPort } = behind();
    const before = app.heard.length;
    const paths = [
      "/",
      "/notes",
      "/auth",
      "/authx",
      "/auth/../notes",
      "/auth/%2e%2e/notes",
      "//auth/../notes",
    ];
    const tricks = ["/auth/..%2fnotes", "/auth/./../notes", "/AUTH/notes", "/latchkey-verify", "/?x=/auth/"];
    for (const path of [...paths, ...tricks])
      for (const method of ["GET", "POST", "DELETE", "OPTIONS", "HEAD"]) {
        const { status } = await ask(null, path, { method });
        expect(status, `${method} ${path}`).toBeGreaterThanOrEqual(300);
      }
    for (const bytes of [
      `GET http://localhost:${proxyPort}/notes HTTP/1.1\r\nHost: localhost:${proxyPort}\r\nConnection: close\r\n\r\n`,
      `GET /notes HTTP/1.0\r\n\r\n`,
      `GET /auth/../notes HTTP/1.1\r\nHost: x\r\nCookie: latchkey=lk1_${"A".repeat(43)}\r\nConnection: close\r\n\r\n`,
    ])
      expect(await exchangeBytes(proxyPort, bytes)).not.toContain("Hello");
    expect(app.heard).toHaveLength(before);
  });

  test("leaves /auth to Latchkey, even without the last slash", async () => {
    const { server, app, ask } = behind();
    const { client } = await signUp(server);
    const before = app.heard.length;
    const answer = await ask(client, "/auth");
    expect([301, 302]).toContain(answer.status);
    expect(header(answer, "location")).toMatch(/\/auth\/(settings\/security)?$/);
    expect(app.heard).toHaveLength(before);
  });

  test("has strangers answered by kind: a program with 401 and the problem, a browser with the login page", async () => {
    const { server, ask, origin } = behind();
    const problem = await ask(null, "/api/notes");
    expectRefusal(problem, 401, "signed_out");
    expect(problem.body.reason).toBe("none");
    const headers = { Accept: "text/html", "Sec-Fetch-Mode": "navigate" };
    const page = await ask(null, "/notes?of=today&x=%26", { headers });
    expect(page.status).toBe(302);
    expect(header(page, "location")).toBe(
      `${server.baseUrl}/login?next=${encodeURIComponent(`${origin}/notes?of=today&x=%26`)}`,
    );
    expect(header(page, "cache-control")).toBe("no-store");
    expect(page.setCookies).toEqual([]);
    const sent = await ask(null, "/notes", { method: "POST", headers, body: "title=x" });
    expect(sent.status).toBe(303);
  });
});
