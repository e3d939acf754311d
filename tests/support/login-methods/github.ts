import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

/** Who is logged in at this GitHub, and how it answers. */
type Octocat = { user: unknown; emails: unknown };

type Granted = { redirectUri: string; challenge: string; who: Octocat };

/** As much of GitHub Enterprise as a sign-in needs, over real HTTP, as strict as the real one. */
export class TestGitHub {
  readonly clientId = "Iv1.latchkey";
  readonly clientSecret = "a-secret-of-the-test-of-32-letters";
  /** Who signs in next. */
  who: Octocat = { user: {}, emails: [] };
  /** What comes back along with the code; the real one has sent `iss` since 2026. */
  back: Record<string, string> = {};
  readonly #codes = new Map<string, Granted>();
  readonly #tokens = new Map<string, Octocat>();
  readonly #server: Server;
  #port = 0;

  static async start(): Promise<TestGitHub> {
    const github = new TestGitHub();
    github.#server.listen(0, "127.0.0.1");
    await once(github.#server, "listening");
    const address = github.#server.address();
    github.#port = typeof address === "object" && address ? address.port : 0;
    return github;
  }

  private constructor() {
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  get url(): string {
    return `http://localhost:${this.#port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "", this.url);
    let body = "";
    for await (const chunk of request) body += chunk;
    if (url.pathname === "/login/oauth/authorize") this.#authorize(url.searchParams, response);
    else if (url.pathname === "/login/oauth/access_token")
      this.#grant(new URLSearchParams(body), request, response);
    else this.#call(url.pathname, request, response);
  }

  #call(path: string, request: IncomingMessage, response: ServerResponse): void {
    const token = /^bearer (.+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? "";
    const who = this.#tokens.get(token);
    if (!request.headers["user-agent"]) send(response, 403, "Requests must have a User-Agent.");
    else if (!who) send(response, 401, { message: "Bad credentials" });
    else if (path === "/api/v3/user") send(response, 200, who.user);
    else if (path !== "/api/v3/user/emails") send(response, 404, { message: "Not Found" });
    else if (typeof who.emails === "number") send(response, who.emails, { message: "Refused" });
    else send(response, 200, who.emails);
  }

  #authorize(asked: URLSearchParams, response: ServerResponse): void {
    const redirectUri = asked.get("redirect_uri") ?? "";
    const isRight =
      asked.get("client_id") === this.clientId &&
      asked.get("code_challenge_method") === "S256" &&
      asked.get("scope") === "read:user user:email";
    if (!isRight) {
      send(response, 404, { message: "Not Found" });
      return;
    }
    const code = randomUUID();
    this.#codes.set(code, { redirectUri, challenge: asked.get("code_challenge") ?? "", who: this.who });
    const back = new URL(redirectUri);
    const said = { code, state: asked.get("state") ?? "", ...this.back };
    for (const [name, value] of Object.entries(said)) back.searchParams.set(name, value);
    response.writeHead(302, { Location: back.href }).end();
  }

  /**
   * Refusals are 200, too, like the real one's; without `Accept: application/json` it answers with a form.
   */
  #grant(asked: URLSearchParams, request: IncomingMessage, response: ServerResponse): void {
    const code = asked.get("code") ?? "";
    const granted = this.#codes.get(code);
    this.#codes.delete(code);
    const challenge = createHash("sha256")
      .update(asked.get("code_verifier") ?? "")
      .digest("base64url");
    const isClient =
      asked.get("client_id") === this.clientId && asked.get("client_secret") === this.clientSecret;
    const isRight =
      granted && granted.challenge === challenge && granted.redirectUri === asked.get("redirect_uri");
    const token = `gho_${randomUUID()}`;
    if (isClient && isRight) this.#tokens.set(token, granted.who);
    const answer: Record<string, string> = !isClient
      ? { error: "incorrect_client_credentials" }
      : isRight
        ? { access_token: token, scope: "read:user,user:email", token_type: "bearer" }
        : { error: "bad_verification_code" };
    if (request.headers.accept?.includes("application/json")) send(response, 200, answer);
    else response.writeHead(200).end(new URLSearchParams(answer).toString());
  }
}

function send(response: ServerResponse, status: number, value: unknown): void {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  response.writeHead(status, { "Content-Type": "application/json" }).end(text);
}
