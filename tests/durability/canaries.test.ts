import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { Secret } from "otpauth";
import { afterEach, beforeEach, expect, test } from "vitest";
import { allAtRest } from "../support/databases/at-rest.ts";
import { describeOnEachEngine, type TestDatabase } from "../support/databases/engines.ts";
import { SoftwareAuthenticator } from "../support/login-methods/software-authenticator.ts";
import { codeAt } from "../support/login-methods/totp.ts";
import { linksIn, Outbox } from "../support/mail/outbox.ts";
import { type Answer, header, need } from "../support/requests/answers.ts";
import { Client } from "../support/requests/client.ts";
import { expectStatus, freshEmail } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { latchkey, type Serving, serve } from "../support/servers/command-line.ts";
import { freePort } from "../support/servers/free-port.ts";

const BASE_URL = "https://login.example.test";

/** The routes whose answer is the secret itself, given once to the person who asked for it. */
const TELLS = ["/api/account/two-factor", "/api/account/two-factor/recovery-codes"];

/** Every answer that any browser in the walk got, and every secret that was in its cookies. */
type Seen = { answers: { path: string; method: string; answer: Answer }[]; cookies: Set<string> };

class WatchedClient extends Client {
  seen: Seen | undefined;

  override async send(
    method: string,
    path: string,
    more: Parameters<Client["send"]>[2] = {},
  ): Promise<Answer> {
    const answer = await super.send(method, path, more);
    this.seen?.answers.push({ path, method, answer });
    for (const name of this.jar.names()) this.seen?.cookies.add(this.jar.get(name) ?? "");
    return answer;
  }
}

const secretWord = (of: string) => `canary-${of}-${randomBytes(9).toString("base64url")}-Quartz`;

describeOnEachEngine("Secrets from a walk through everything that a person can do", (engine) => {
  let database: TestDatabase;
  let serving: Serving;
  let outbox: Outbox;
  let port: number;
  let log = "";
  let seen: Seen;
  const key = randomBytes(32).toString("hex");
  const where = () => ({
    cwd: database.folder,
    env: {
      PORT: String(port),
      BASE_URL,
      DATABASE_URL: database.url,
      LATCHKEY_SECRET_KEY: key,
      LATCHKEY_OUTBOX: join(database.folder, "outbox"),
      LATCHKEY_RATE_LIMITS: "off",
      LATCHKEY_LOG_LEVEL: "trace",
    },
  });

  beforeEach(async () => {
    database = await engine.createDatabase();
    port = await freePort();
    log = "";
    seen = { answers: [], cookies: new Set() };
    serving = await serve(where());
    for (const stream of [serving.child.stdout, serving.child.stderr])
      stream?.on("data", (chunk: Buffer) => {
        log += chunk.toString();
      });
    outbox = new Outbox(join(database.folder, "outbox"), async () => {});
  });
  afterEach(async () => {
    await serving.stop();
    await database.drop();
  });

  function browser(userAgent: string = UA.chromeMac): WatchedClient {
    const client = new WatchedClient({ baseUrl: BASE_URL, port, userAgent });
    client.seen = seen;
    return client;
  }

  /** Returns what was typed and received on the way, by what it is. */
  async function walk(): Promise<{ secrets: Record<string, string>; links: Record<string, string> }> {
    const password = secretWord("first");
    const [wrong, changed, reset] = [secretWord("wrong"), secretWord("changed"), secretWord("reset")];
    const email = freshEmail();
    const mac = browser();
    expectStatus(201, await mac.post("/api/accounts", { email, password }));
    const verify = await outbox.tokenFor(email, "/confirm-email");
    expectStatus(200, await mac.post("/api/email-confirmations/preview", { token: verify }));
    expectStatus(204, await mac.post("/api/email-confirmations", { token: verify }));
    const phone = browser(UA.safariIphone);
    expectStatus(401, await phone.post("/api/session", { email, password: wrong }));
    expectStatus(201, await phone.post("/api/session", { email, password }));
    const notMe = await outbox.tokenFor(email, "/not-me");

    const authenticator = new SoftwareAuthenticator(BASE_URL);
    const creation = JSON.parse(expectStatus(200, await mac.post("/api/passkeys/options")).text);
    const passkey = authenticator.create(creation);
    expectStatus(201, await mac.post("/api/passkeys", { passkey, name: "Key" }));

    const begun = await mac.post("/api/account/two-factor", { currentPassword: password });
    const secret = need(expectStatus(201, begun), "secret");
    const on = await mac.put("/api/account/two-factor", { code: codeAt(secret, Date.now()) });
    const [recoveryCode = "", second = ""] = need(expectStatus(200, on), "recoveryCodes");
    const half = browser(UA.firefoxWindows);
    expectStatus(202, await half.post("/api/session", { email, password }));
    expectStatus(401, await half.post("/api/session/two-factor", { recoveryCode: "aaaaa-aaaaa-aaaaa" }));
    expectStatus(201, await half.post("/api/session/two-factor", { recoveryCode }));
    const proof = { currentPassword: password, recoveryCode: second };
    const renewed = await mac.post("/api/account/two-factor/recovery-codes", proof);
    const [fresh = ""] = need(expectStatus(200, renewed), "recoveryCodes");

    const change = { currentPassword: password, newPassword: changed };
    expectStatus(204, await mac.put("/api/account/password", change));
    const next = freshEmail("next");
    const ask = { email: next, currentPassword: changed, recoveryCode: fresh };
    expectStatus(202, await mac.put("/api/account/email", ask));
    const confirm = await outbox.tokenFor(next, "/confirm-email");
    const keep = await outbox.tokenFor(email, "/keep-email");
    expectStatus(204, await mac.post("/api/email-confirmations", { token: confirm }));
    for (const path of [
      "/api/session",
      "/api/sessions",
      "/api/activity",
      "/api/account/login-methods",
      "/verify",
    ])
      await mac.get(path);
    // Requests that are wrong in every way: not JSON, of another type, from another site, to nowhere.
    const odd = JSON.stringify({ email, password: changed, token: keep, code: secret });
    await mac.send("POST", "/api/session", { body: odd.slice(1) });
    await mac.send("POST", "/api/session", { body: odd, headers: { "Content-Type": "text/plain" } });
    await mac.send("POST", "/api/session", { body: odd, headers: { "Sec-Fetch-Site": "cross-site" } });
    await mac.send("POST", "/api/nowhere", { body: odd });

    expectStatus(202, await browser().post("/api/password-resets", { email: next }));
    const forgotten = await outbox.tokenFor(next, "/reset-password");
    expectStatus(204, await browser().put("/api/password-resets", { token: forgotten, password: reset }));
    await browser().post("/api/not-me", { token: notMe });
    await browser().post("/api/email-reversals", { token: keep });
    const operated = await latchkey(["accounts", "list", "--json"], where());
    log += operated.out + operated.err;
    const secrets = { password, wrong, changed, reset, secret, recoveryCode, second, fresh };
    return { secrets, links: { verify, notMe, confirm, keep, forgotten } };
  }

  /** As someone with the bytes would look for it. */
  const spelled = (secret: string): string[] => {
    const bytes = Buffer.from(secret);
    const ways = [secret, secret.replaceAll("-", ""), bytes.toString("hex"), bytes.toString("base64")];
    return [...ways, encodeURIComponent(secret)];
  };

  const foundIn = (text: string, secrets: Record<string, string>) =>
    Object.entries(secrets)
      .filter(([, secret]) => spelled(secret).some((way) => text.includes(way)))
      .map(([name]) => name);

  test("are in no log, no table, no answer and no address but where they belong", async () => {
    const { secrets, links } = await walk();
    const cookies = Object.fromEntries([...seen.cookies].map((value, at) => [`cookie ${at}`, value]));
    expect(Object.keys(cookies).length).toBeGreaterThan(5);
    const raw = Buffer.from(Secret.fromBase32(secrets.secret ?? "").buffer).toString("hex");
    const all = { ...secrets, ...links, ...cookies, raw };

    await serving.stop();
    expect(log).toContain("latchkey");
    expect(foundIn(log, all), "in the log").toEqual([]);
    const stored = await allAtRest(database);
    expect(stored).toContain("password_changed");
    expect(foundIn(stored, all), "in the database").toEqual([]);

    for (const { method, path, answer } of seen.answers) {
      const told = TELLS.includes(path) && answer.status < 300;
      const bodies = told ? { ...links, ...cookies } : all;
      expect(foundIn(answer.text, bodies), `in the answer to ${method} ${path}`).toEqual([]);
      expect(foundIn(header(answer, "location"), all), `in where ${path} leads`).toEqual([]);
      const headers = Object.entries(answer.headers).filter(([name]) => name !== "set-cookie");
      expect(foundIn(JSON.stringify(headers), all), `in the headers of ${path}`).toEqual([]);
    }

    const mails = await outbox.all();
    expect(mails.length).toBeGreaterThan(8);
    for (const mail of mails) {
      const words = mail.subject + mail.text + mail.html;
      expect(foundIn(words, { ...secrets, ...cookies, raw }), `in "${mail.subject}"`).toEqual([]);
      expect(foundIn(words, links).length, `in "${mail.subject}"`).toBeLessThanOrEqual(1);
      // A token comes after the `#`, which is sent to no server and no log.
      for (const link of linksIn(mail)) {
        const { pathname, search, hash } = new URL(link);
        expect([search, foundIn(pathname, links)]).toEqual(["", []]);
        if (foundIn(link, links).length > 0) expect(foundIn(hash, links)).toHaveLength(1);
      }
    }
  });
});
