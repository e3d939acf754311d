import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import Provider from "oidc-provider";
import type { Page } from "playwright-core";
import { freePort } from "../servers/free-port.ts";

/** Who signs in at the provider, and what it says about them. */
export type Someone = { sub: string; email: string; email_verified: boolean; amr?: string[] };

/** A real OpenID provider on loopback, as a stand-in for any. */
export class TestProvider {
  readonly issuer: string;
  readonly clientId = "latchkey";
  readonly clientSecret = "a-secret-of-the-test-of-32-letters";
  readonly people = new Map<string, Someone>();
  readonly #server: Server;

  /**
   * `port`: where it listens, for tests that have to name it before it exists. `only`: where it takes the
   * client secret, and what it answers if that is elsewhere.
   */
  static async start(
    redirectUri: string,
    port?: number,
    only?: { secretIn: "body" | "header"; status: number; error: string },
  ): Promise<TestProvider> {
    port ??= await freePort();
    const issuer = `http://localhost:${port}`;
    const people = new Map<string, Someone>();
    const provider = new Provider(issuer, {
      clients: [
        {
          client_id: "latchkey",
          client_secret: "a-secret-of-the-test-of-32-letters",
          redirect_uris: [redirectUri],
          token_endpoint_auth_method: "client_secret_post",
        },
      ],
      claims: { openid: ["sub"], email: ["email", "email_verified"], amr: null },
      conformIdTokenClaims: false,
      cookies: { keys: ["a key of the test"] },
      pkce: { required: () => true },
      findAccount: (_context, sub) => {
        const someone = people.get(sub);
        return someone && { accountId: sub, claims: () => ({ ...someone }) };
      },
    });
    const answer = provider.callback();
    const server = createServer((request, response) => {
      if (only && request.url === "/token" && only.secretIn !== whereSecretIs(request))
        response
          .writeHead(only.status, { "Content-Type": "application/json" })
          .end(JSON.stringify({ error: only.error }));
      else answer(request, response);
    });
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return new TestProvider(issuer, server, people);
  }

  private constructor(issuer: string, server: Server, people: Map<string, Someone>) {
    this.issuer = issuer;
    this.#server = server;
    this.people = people;
  }

  /** The same in a browser that stands at the provider's first page: gives a name, agrees, and is sent back. */
  async signInWith(page: Page, someone: Someone): Promise<void> {
    this.people.set(someone.sub, someone);
    await page.locator('input[name="login"]').fill(someone.sub);
    await page.locator('input[name="password"]').fill("x");
    await page.getByRole("button", { name: "Sign-in" }).click();
    const agree = page.getByRole("button", { name: "Continue" });
    await Promise.race([agree.waitFor(), page.waitForURL((url) => url.origin !== this.issuer)]);
    if (page.url().startsWith(this.issuer)) await agree.click();
    await page.waitForURL((url) => url.origin !== this.issuer);
  }

  /**
   * Goes through the provider's own pages as a person would; returns the URL that it sends the browser back
   * to.
   */
  async signIn(url: string, someone: Someone): Promise<string> {
    this.people.set(someone.sub, someone);
    const cookies = new Map<string, string>();
    let next = url;
    let form: Record<string, string> | undefined;
    for (let step = 0; step < 12; step++) {
      const answer = await fetch(next, {
        redirect: "manual",
        headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
        ...(form ? { method: "POST", body: new URLSearchParams(form) } : {}),
      });
      for (const cookie of answer.headers.getSetCookie()) {
        const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
        cookies.set(name, value);
      }
      const location = answer.headers.get("location");
      const page = await answer.text();
      form = undefined;
      if (location) next = new URL(location, this.issuer).href;
      else
        form = {
          prompt: page.includes('value="consent"') ? "consent" : "login",
          login: someone.sub,
          password: "x",
        };
      if (!next.startsWith(this.issuer)) return next;
    }
    throw new Error("The provider never came back.");
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

const whereSecretIs = ({ headers }: IncomingMessage) => (headers.authorization ? "header" : "body");
