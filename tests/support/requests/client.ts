import type { Barrier } from "../servers/barrier.ts";
import type { Answer } from "./answers.ts";
import { CookieJar } from "./cookie-jar.ts";
import { checkDescribed } from "./described.ts";
import { exchange, type Headers } from "./exchange.ts";
import { LiveStream } from "./live-stream.ts";
import { UA } from "./user-agents.ts";

export type ClientOptions = {
  baseUrl: string;
  port: number;
  userAgent?: string | undefined;
  /** The cookies of a browser that has been elsewhere on the site. */
  jar?: CookieJar;
};

/**
 * A browser without a screen: one User-Agent, one cookie jar, and the headers that a browser's own page
 * sends. It connects to `port` whatever host `baseUrl` names.
 */
export class Client {
  readonly jar: CookieJar;
  readonly userAgent: string;
  /** Makes its requests wait for those of others. */
  waitsAt: Barrier | undefined;
  readonly #baseUrl: URL;
  readonly #port: number;

  constructor({ baseUrl, port, userAgent = UA.chromeMac, jar = new CookieJar() }: ClientOptions) {
    this.jar = jar;
    this.userAgent = userAgent;
    this.#baseUrl = new URL(baseUrl);
    this.#port = port;
  }

  get(path: string, headers: Headers = {}): Promise<Answer> {
    return this.send("GET", path, { headers });
  }

  post(path: string, body: unknown = {}, headers: Headers = {}): Promise<Answer> {
    return this.send("POST", path, { body: JSON.stringify(body), headers });
  }

  put(path: string, body: unknown = {}, headers: Headers = {}): Promise<Answer> {
    return this.send("PUT", path, { body: JSON.stringify(body), headers });
  }

  delete(path: string, body?: unknown, headers: Headers = {}): Promise<Answer> {
    return this.send("DELETE", path, { body: body && JSON.stringify(body), headers });
  }

  /** With `body` as it is; a header given as `undefined` is not sent. */
  async send(
    method: string,
    path: string,
    { body, headers = {} }: { body?: string | Uint8Array | undefined | unknown; headers?: Headers } = {},
  ): Promise<Answer> {
    const sent = typeof body === "string" || body instanceof Uint8Array ? body : undefined;
    const answer = await exchange({
      port: this.#port,
      method,
      path: this.#path(path),
      headers: withoutUndefined({ ...this.#defaults(method, sent !== undefined), ...headers }),
      body: sent,
      waitsAt: this.waitsAt,
    });
    this.jar.take(answer.setCookies);
    checkDescribed(method, path, answer);
    return answer;
  }

  /** Opens the page's live stream. Rejects with the answer's text if it isn't opened. */
  live(headers: Headers = {}): Promise<LiveStream> {
    const all = withoutUndefined({
      ...this.#defaults("GET", false),
      Accept: "text/event-stream",
      ...headers,
    });
    return LiveStream.open({ port: this.#port, path: this.#path("/api/live"), headers: all });
  }

  /** The value of the session's cookie, whatever its name is here. */
  get token(): string {
    const name = this.sessionCookieName;
    return this.jar.get(name) ?? "";
  }

  set token(value: string) {
    this.jar.set(this.sessionCookieName, value);
  }

  get sessionCookieName(): string {
    const known = ["__Host-latchkey", "__Secure-latchkey", "latchkey"];
    const present = known.find((name) => this.jar.get(name) !== undefined);
    return present ?? (this.#baseUrl.protocol === "https:" ? "__Host-latchkey" : "latchkey");
  }

  #path(path: string): string {
    return `${this.#baseUrl.pathname.replace(/\/$/, "")}${path}`;
  }

  #defaults(method: string, hasBody: boolean): Headers {
    const isUnsafe = !["GET", "HEAD", "OPTIONS"].includes(method);
    return {
      Host: this.#baseUrl.host,
      "User-Agent": this.userAgent,
      Accept: "application/json",
      "Sec-Fetch-Site": "same-origin",
      Cookie: this.jar.header() || undefined,
      ...(isUnsafe ? { Origin: this.#baseUrl.origin } : {}),
      ...(hasBody ? { "Content-Type": "application/json" } : {}),
    };
  }
}

function withoutUndefined(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
}
