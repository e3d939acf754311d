import {
  CLIENT_ID,
  CLIENT_SECRET,
  type Facts,
  type Lie,
  LyingProvider,
} from "../support/login-methods/lying-provider.ts";
import { passkeySignIn } from "../support/login-methods/passkeys.ts";
import type { SoftwareAuthenticator } from "../support/login-methods/software-authenticator.ts";
import { type Answer, header } from "../support/requests/answers.ts";
import type { Client } from "../support/requests/client.ts";
import {
  expectStatus,
  freshEmail,
  OTHER_PASSWORD,
  PASSWORD,
  type Person,
  resetToken,
  trySignIn,
} from "../support/requests/people.ts";
import { latchkey } from "../support/servers/command-line.ts";
import type { TestServer } from "../support/servers/server.ts";

/** Someone who has every way to log in. */
export type Everyone = {
  server: TestServer;
  provider: Sites;
  person: Person;
  authenticator: SoftwareAuthenticator;
};

export const SITES = [
  "plain",
  "plain-says-mfa",
  "trusted-mfa",
  "trusted-pwd-otp",
  "trusted-otp",
  "trusted-text",
] as const;
export type Site = (typeof SITES)[number];

const AMR: Record<Site, unknown> = {
  plain: undefined,
  "plain-says-mfa": ["pwd", "mfa"],
  "trusted-mfa": ["pwd", "mfa"],
  "trusted-pwd-otp": ["pwd", "otp"],
  "trusted-otp": ["otp", "hwk"],
  "trusted-text": "mfa",
};

/** Sites that all say what they are told to about whoever comes. */
export class Sites {
  readonly options;
  readonly #provider: LyingProvider;
  readonly #said: { who: Facts };

  static async start(): Promise<Sites> {
    const said: { who: Facts } = { who: {} };
    const lies = SITES.map((site): [string, Lie] => [
      site,
      { claims: (claims) => ({ ...claims, amr: AMR[site], ...said.who }) },
    ]);
    return new Sites(await LyingProvider.start(Object.fromEntries(lies)), said);
  }

  private constructor(provider: LyingProvider, said: { who: Facts }) {
    this.#said = said;
    this.#provider = provider;
    this.options = SITES.map((id) => ({
      id,
      issuer: provider.issuer(id),
      clientId: CLIENT_ID,
      clientSecret: CLIENT_SECRET,
      trustAmr: id.startsWith("trusted") ? ("on" as const) : ("off" as const),
    }));
  }

  async connect(client: Client, site: Site, sub: string): Promise<void> {
    const begun = await client.post(`/api/oidc/${site}/start`, { intent: "connect" });
    await this.finish(client, JSON.parse(expectStatus(200, begun).text).url, site, sub);
  }

  /** Returns where the person lands. */
  async signIn(client: Client, site: Site, sub: string, facts: Facts = {}): Promise<string> {
    const begun = expectStatus(302, await client.get(`/api/oidc/${site}/start`));
    return this.finish(client, header(begun, "location"), site, sub, facts);
  }

  /** The rest of a sign-in with a provider. Returns where the person lands. */
  async finish(client: Client, url: string, site: Site, sub: string, facts: Facts = {}): Promise<string> {
    return header(await this.comeBack(client, url, site, sub, facts), "location");
  }

  /** The answer to a browser that the site has sent back. */
  async comeBack(client: Client, url: string, site: Site, sub: string, facts: Facts = {}): Promise<Answer> {
    this.#said.who = { sub, email: `${sub}@example.test`, ...facts };
    const { pathname, search } = new URL(this.#provider.back(url, site));
    return expectStatus(302, await client.get(pathname + search));
  }

  stop(): void {
    this.#provider.stop();
  }
}

/** The real command line, alongside the running server. */
export async function operate({ server }: Pick<Everyone, "server">, words: string[]): Promise<void> {
  const env = {
    DATABASE_URL: server.database.url,
    BASE_URL: server.baseUrl,
    LATCHKEY_SECRET_KEY: server.secretKey,
    LATCHKEY_OUTBOX: server.outbox.folder,
  };
  const { code, err } = await latchkey(words, { cwd: server.database.folder, env });
  if (code !== 0) throw new Error(err);
}

const signInAt =
  (site: Site) =>
  async (client: Client, { provider, person }: Everyone) => {
    await provider.signIn(client, site, person.account.id);
  };

async function chooseAnother({ server }: Everyone, token: string): Promise<void> {
  expectStatus(204, await server.client().put("/api/password-resets", { token, password: OTHER_PASSWORD }));
}

/** What a way in leads to, without 2FA and with it. `elsewhere`: a session of another account. */
export type Outcome = "session" | "two-factor" | "nothing" | "elsewhere";
export type Way = {
  without: Outcome;
  with: Outcome;
  go: (client: Client, everyone: Everyone) => Promise<void>;
};

export const WAYS = {
  "a password": {
    without: "session",
    with: "two-factor",
    go: async (client, { person }) => void (await trySignIn(client, person)),
  },
  "a passkey whose authenticator verified its owner": {
    without: "session",
    with: "session",
    go: async (client, { authenticator }) => void (await passkeySignIn(client, authenticator)),
  },
  "a passkey whose authenticator only saw a touch": {
    without: "session",
    with: "two-factor",
    go: async (client, { authenticator }) =>
      void (await passkeySignIn(client, authenticator, { userVerified: false })),
  },
  "a provider": { without: "session", with: "two-factor", go: signInAt("plain") },
  "a provider that says mfa, untrusted": {
    without: "session",
    with: "two-factor",
    go: signInAt("plain-says-mfa"),
  },
  "a trusted provider that says mfa": { without: "session", with: "session", go: signInAt("trusted-mfa") },
  "a trusted provider that says pwd and otp": {
    without: "session",
    with: "session",
    go: signInAt("trusted-pwd-otp"),
  },
  "a trusted provider that says otp and hwk, which is one factor twice": {
    without: "session",
    with: "two-factor",
    go: signInAt("trusted-otp"),
  },
  "a trusted provider whose amr isn't a list": {
    without: "session",
    with: "two-factor",
    go: signInAt("trusted-text"),
  },
  "an emailed reset alone": {
    without: "nothing",
    with: "nothing",
    go: async (client, everyone) => {
      const token = await resetToken(everyone.server, everyone.person.email);
      expectStatus(204, await client.put("/api/password-resets", { token, password: OTHER_PASSWORD }));
    },
  },
  "an emailed reset, then the new password": {
    without: "session",
    with: "two-factor",
    go: async (client, everyone) => {
      const { email } = everyone.person;
      await chooseAnother(everyone, await resetToken(everyone.server, email));
      await trySignIn(client, { email, password: OTHER_PASSWORD });
    },
  },
  "an emailed reset, then the old password": {
    without: "nothing",
    with: "nothing",
    go: async (client, everyone) => {
      await chooseAnother(everyone, await resetToken(everyone.server, everyone.person.email));
      await trySignIn(client, everyone.person);
    },
  },
  "an emailed reset after the password of a pending sign-in": {
    without: "nothing",
    with: "nothing",
    go: async (client, everyone) => {
      await trySignIn(client, everyone.person);
      await chooseAnother(everyone, await resetToken(everyone.server, everyone.person.email));
    },
  },
  "a link that confirms a change of the address": {
    without: "nothing",
    with: "nothing",
    go: async (client, { server, person }) => {
      const email = freshEmail("new");
      const body = { email, currentPassword: person.password };
      expectStatus(202, await person.client.put("/api/account/email", body));
      const token = await server.outbox.tokenFor(email, "/confirm-email");
      expectStatus(401, await client.post("/api/email-confirmations", { token }));
      expectStatus(204, await person.client.post("/api/email-confirmations", { token }));
    },
  },
  "a sign-up over the live cookie": {
    without: "elsewhere",
    with: "elsewhere",
    go: async (client, { person }) => {
      client.token = person.client.token;
      expectStatus(201, await client.post("/api/accounts", { email: freshEmail(), password: PASSWORD }));
    },
  },
  "a sign-up with the address that is taken": {
    without: "nothing",
    with: "nothing",
    go: async (client, { person }) => {
      const { email, password } = person;
      expectStatus(409, await client.post("/api/accounts", { email, password }));
    },
  },
  "an operator's reset of the password": {
    without: "session",
    with: "two-factor",
    go: async (client, everyone) => {
      const { server, person } = everyone;
      const { email } = person;
      await operate(everyone, ["accounts", "send-reset", email]);
      await chooseAnother(everyone, await server.outbox.tokenFor(email, "/reset-password"));
      await trySignIn(client, { email, password: OTHER_PASSWORD });
    },
  },
} satisfies Record<string, Way>;
