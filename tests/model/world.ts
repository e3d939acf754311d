import { codeAt, STEP } from "../support/login-methods/totp.ts";
import { type Answer, header, need } from "../support/requests/answers.ts";
import type { Client } from "../support/requests/client.ts";
import { DAY } from "../support/requests/clock.ts";
import { expectStatus, listOf, PASSWORD, signUpConfirmed } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import type { TestServer } from "../support/servers/server.ts";

export const LIFETIME = 30 * DAY;
export const IDLE = 20 * DAY;
const REASON_KEPT = 7 * DAY;

/**
 * Two versions of one browser, another one, and two that replace nothing: a bare WebView and an unknown one.
 */
const BROWSERS = [
  { userAgent: UA.chromeMac, replaces: "Chrome on Mac OS" },
  { userAgent: UA.chromeMacNewer, replaces: "Chrome on Mac OS" },
  { userAgent: UA.firefoxWindows, replaces: "Firefox on Windows" },
  { userAgent: UA.webViewAndroid, replaces: null },
  { userAgent: UA.script, replaces: null },
];
export const BROWSER_COUNT = BROWSERS.length;

/** What the model knows of a session: no more than a person could. */
export type ModelSession = {
  id: string;
  account: ModelAccount;
  replaces: string | null;
  createdAt: number;
  usedAt: number;
  /** Why it ended, if something ended it; if its time had run out before, that may be the reason as well. */
  ended: string[];
};

export type ModelAccount = { email: string; password: string; totp: string | null; version: number };

export type ModelBrowser = {
  client: Client;
  replaces: string | null;
  session: ModelSession | null;
  /**
   * A right password that waits for its code; kept even if something ended it, since the browser still has
   * its cookie.
   */
  pending: { account: ModelAccount; version: number; until: number; isOver: boolean } | null;
};

/** The whole state according to the model, next to the server that it is compared with. */
export class World {
  readonly server: TestServer;
  readonly accounts: ModelAccount[] = [];
  readonly browsers: ModelBrowser[];
  /** Every token that was ever issued; null if it has been renewed since. */
  readonly tokens = new Map<string, ModelSession | null>();

  static async on(server: TestServer): Promise<World> {
    const world = new World(server);
    server.clock.stopAt(server.clock.now());
    for (const at of [0, 2]) {
      const { client, email, session } = await signUpConfirmed(server, {
        userAgent: BROWSERS[at]?.userAgent ?? "",
      });
      const account: ModelAccount = { email, password: PASSWORD, totp: null, version: 0 };
      world.accounts.push(account);
      const browser = world.browser(at);
      browser.client = client;
      world.begin(browser, account, session.id);
      if (at === 0) await world.#protect(account, browser);
    }
    return world;
  }

  private constructor(server: TestServer) {
    this.server = server;
    this.browsers = BROWSERS.map(({ userAgent, replaces }) => ({
      client: server.client(userAgent),
      replaces,
      session: null,
      pending: null,
    }));
  }

  /** One account has two-factor authentication from the start. */
  async #protect(account: ModelAccount, { client, session }: ModelBrowser): Promise<void> {
    const begun = await client.post("/api/account/two-factor", { currentPassword: PASSWORD });
    const secret = need(expectStatus(201, begun), "secret");
    const code = this.freshCode(secret);
    expectStatus(200, await client.put("/api/account/two-factor", { code }));
    account.totp = secret;
    if (session) session.usedAt = this.now;
    for (const browser of this.browsers) this.noteRenewal(browser);
  }

  get now(): number {
    return this.server.clock.now();
  }

  browser(at: number): ModelBrowser {
    const browser = this.browsers[at];
    if (!browser) throw new Error(`There is no browser ${at}.`);
    return browser;
  }

  /** One of the browsers in which someone was signed in, mostly one in which someone still is. */
  signedIn(which: number): (ModelBrowser & { session: ModelSession }) | undefined {
    const all = this.browsers.filter(
      (one): one is ModelBrowser & { session: ModelSession } => one.session !== null,
    );
    const live = all.filter(({ session }) => this.isLive(session));
    const some = which % 10 === 9 || live.length === 0 ? all : live;
    return some[which % Math.max(1, some.length)];
  }

  account(at: number): ModelAccount {
    const account = this.accounts[at];
    if (!account) throw new Error(`There is no account ${at}.`);
    return account;
  }

  sessions(): ModelSession[] {
    return [...new Set(this.tokens.values())].filter((session) => session !== null);
  }

  liveOf(account: ModelAccount): ModelSession[] {
    return this.sessions().filter((session) => session.account === account && this.isLive(session));
  }

  isLive(session: ModelSession): boolean {
    return session.ended.length === 0 && this.#overByTime(session) === null;
  }

  #overByTime({ createdAt, usedAt }: ModelSession): string | null {
    if (this.now >= createdAt + LIFETIME) return "expired";
    return this.now >= usedAt + IDLE ? "idle" : null;
  }

  pass(ms: number): void {
    this.server.clock.stopAt(this.now + ms);
  }

  /** A code whose time step nobody has used: it has only just begun. */
  freshCode(secret: string): string {
    this.pass(STEP);
    return codeAt(secret, this.now);
  }

  /**
   * A sign-in with all its factors: what it replaces ends, and so does the session of the cookie that came
   * with it.
   */
  begin(browser: ModelBrowser, account: ModelAccount, id: string): void {
    const { session: former, replaces } = browser;
    if (former) this.end([former], former.account === account ? "replaced" : "signed_out");
    if (replaces !== null)
      this.end(
        this.sessions().filter((one) => one.account === account && one.replaces === replaces),
        "replaced",
      );
    const session = { id, account, replaces, createdAt: this.now, usedAt: this.now, ended: [] };
    browser.session = session;
    browser.pending = null;
    this.tokens.set(browser.client.token, session);
  }

  end(sessions: readonly ModelSession[], reason: string): void {
    for (const session of sessions) {
      const over = this.#overByTime(session);
      if (session.ended.length === 0)
        session.ended.push(...(over === null ? [reason] : ["idle", "expired", reason]));
    }
  }

  /** What a change of credentials ends besides sessions. */
  credentialsChanged(account: ModelAccount): void {
    account.version += 1;
  }

  endPending(account: ModelAccount): void {
    for (const { pending } of this.browsers) if (pending?.account === account) pending.isOver = true;
  }

  /** A browser whose session goes on with a new token: the previous one is no longer anyone's. */
  noteRenewal({ client, session }: ModelBrowser): void {
    if (session === null || this.tokens.get(client.token) === session) return;
    for (const [token, of] of this.tokens) if (of === session) this.tokens.set(token, null);
    this.tokens.set(client.token, session);
  }

  /**
   * Checks everything against the model: every token that was ever issued, the lists, and a proxy's check.
   */
  async check(): Promise<void> {
    for (const [token, session] of this.tokens) await this.#checkToken(token, session);
    for (const { client, session } of this.browsers)
      if (session && this.isLive(session)) await this.#checkList(client, session);
    // By itself, the server does so every few seconds, in which weeks pass here.
    await this.server.latchkey.parts.lastUsed.flush(this.now);
  }

  async #checkToken(token: string, session: ModelSession | null): Promise<void> {
    const client = this.server.client(UA.script);
    client.token = token;
    const unused = { "Latchkey-Background": "1" };
    const answer = await client.get("/api/session", unused);
    const { status } = await client.get("/verify", unused);
    if (session && this.isLive(session)) {
      expectStatus(200, answer);
      if (status !== 204) throw new Error(`A proxy is told ${status} for a live session.`);
      const { id } = need(answer, "session");
      if (id !== session.id) throw new Error(`The token of ${session.id} opens ${id}.`);
      return;
    }
    expectStatus(401, answer);
    if (status !== 401) throw new Error(`A proxy is told ${status} for a session that has ended.`);
    const reasons = this.#reasonsOf(session);
    const told = answer.body.reason ?? "";
    if (!reasons.includes(told))
      throw new Error(`Told "${told}" for a session that ended by ${reasons.join(" or ")}.`);
  }

  #reasonsOf(session: ModelSession | null): string[] {
    if (session === null || this.now >= session.createdAt + LIFETIME + REASON_KEPT) return ["none"];
    if (session.ended.length > 0) return session.ended;
    // If it became idle and was pruned, that stays its reason even after its full lifetime.
    return this.now >= session.usedAt + IDLE ? ["idle", "expired"] : [String(this.#overByTime(session))];
  }

  async #checkList(client: Client, own: ModelSession): Promise<void> {
    const listed = await listOf(client);
    own.usedAt = this.now;
    const ids = listed.map(({ id }) => id).sort();
    const live = this.liveOf(own.account)
      .map(({ id }) => id)
      .sort();
    if (ids.join() !== live.join()) throw new Error(`Listed are ${ids.join()}; live are ${live.join()}.`);
    const current = listed.filter(({ current }) => current).map(({ id }) => id);
    if (current.join() !== own.id || listed[0]?.id !== own.id)
      throw new Error("The current session isn't the first.");
  }
}

/**
 * What a browser without a live session is told, whatever it asks for. @throws if it is told anything else.
 */
export function expectNobody(answer: Answer): void {
  expectStatus(401, answer);
  if (header(answer, "set-cookie")) throw new Error("A 401 touches a cookie.");
}
