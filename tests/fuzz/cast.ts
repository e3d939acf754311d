import { addPasskey } from "../support/login-methods/passkeys.ts";
import { codeAt } from "../support/login-methods/totp.ts";
import { need } from "../support/requests/answers.ts";
import type { Client } from "../support/requests/client.ts";
import {
  activityOf,
  expectStatus,
  freshEmail,
  halfSignIn,
  isSignedIn,
  PASSWORD,
  type Person,
  resetToken,
  signIn,
  signUp,
  turnOnTwoFactor,
  verifyEmail,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import type { TestServer } from "../support/servers/server.ts";
import type { Place } from "./odd.ts";
import type { Actor } from "./requests.ts";

/** Is put into secret fields; an answer that contains it reveals what it was given in confidence. */
export const CANARY = "canary-7Qx9vTz2-Marmalade-osprey";
const NEW_PASSWORD = "saffron-Gondola-wicket-93";

/** One of the people who send the requests, and the values of theirs to fill in. */
export type Role = { client: Client; known: Partial<Record<Place, string>>; totp?: string };

/** Creates each of them afresh. */
export const roles: { [One in Actor]: (server: TestServer) => Promise<Role> } = {
  nobody: async (server) => ({ client: server.client(), known: {} }),
  person: async (server) => roleOf(server, await signUp(server)),
  async confirmed(server) {
    const one = await signUp(server, { userAgent: UA.safariMac });
    const role = await roleOf(server, one);
    await verifyEmail(server, one);
    await addPasskey(server, one.client);
    const listed = expectStatus(200, await one.client.get("/api/account/login-methods"));
    const method = need(listed, "methods").find(({ kind }) => kind === "passkey")?.id ?? "";
    return { ...role, known: { ...role.known, method, resetLink: await resetToken(server, one.email) } };
  },
  async twoFactor(server) {
    const one = await signUp(server, { userAgent: UA.firefoxLinux });
    const { client, known } = await roleOf(server, one);
    const { secret, recoveryCodes } = await turnOnTwoFactor(server, one);
    return { client, totp: secret, known: { ...known, recoveryCode: recoveryCodes[0] ?? "" } };
  },
  async half(server) {
    const one = await signUp(server, { userAgent: UA.firefoxWindows });
    const { secret, recoveryCodes } = await turnOnTwoFactor(server, one);
    const client = await halfSignIn(server, one);
    return { client, totp: secret, known: { email: one.email, recoveryCode: recoveryCodes[0] ?? "" } };
  },
  async ended(server) {
    const { client, email } = await signUp(server);
    const { token } = client;
    expectStatus(204, await client.delete("/api/session"));
    client.token = token;
    return { client, known: { email } };
  },
  async invented(server) {
    const client = server.client();
    client.token = `lk1_${"A".repeat(43)}`;
    return { client, known: {} };
  },
};

/** Those who get a new session if a request has ended theirs. */
const SIGNED_IN: readonly Actor[] = ["person", "confirmed", "twoFactor"];

async function roleOf(server: TestServer, { client, email, account, session }: Person): Promise<Role> {
  const other = await signIn(server, { email, password: PASSWORD }, UA.safariIphone);
  const verifyLink = await server.outbox.tokenFor(email, "/confirm-email");
  const [event] = await activityOf(client);
  const ids = { session: session.id, otherSession: other.session.id, account: account.id };
  return { client, known: { ...ids, email, verifyLink, event: event?.id ?? "", method: "password" } };
}

/** Someone whose cookie and password no request contains: whatever is sent, nothing of theirs may change. */
type Witness = { person: Person; check(): Promise<void> };

/** All who take part in one run. */
export class Cast {
  readonly #server: TestServer;
  readonly #witness: Witness;
  readonly #roles = new Map<Actor, Role>();
  #secrets = new Set<string>();

  static async on(server: TestServer): Promise<Cast> {
    const cast = new Cast(server, await createWitness(server));
    await cast.refresh();
    return cast;
  }

  private constructor(server: TestServer, witness: Witness) {
    this.#server = server;
    this.#witness = witness;
  }

  roleOf(actor: Actor): Role {
    const role = this.#roles.get(actor);
    if (!role) throw new Error(`${actor} isn't in the cast.`);
    return role;
  }

  /** What is filled in for a placeholder when one of them sends it. */
  valueOf(actor: Actor, place: string): string {
    const { known, totp, client } = this.roleOf(actor);
    const { person } = this.#witness;
    const live: Partial<Record<string, string>> = {
      password: PASSWORD,
      newPassword: NEW_PASSWORD,
      canary: CANARY,
      freshEmail: freshEmail("new"),
      victimEmail: person.email,
      victimAccount: person.account.id,
      victimSession: person.session.id,
      token: client.token,
      code: totp === undefined ? "000000" : codeAt(totp, this.#server.clock.now()),
      ...known,
    };
    return live[place] ?? place;
  }

  /**
   * Restores everyone to what they should be; `anew` with new accounts. Secrets of the previous ones are no
   * longer searched for, or in the end each answer would be searched for thousands.
   */
  async refresh(anew = true): Promise<void> {
    if (anew) this.#secrets = new Set([PASSWORD, NEW_PASSWORD, CANARY]);
    for (const actor of Object.keys(roles) as Actor[]) {
      const known = this.#roles.get(actor);
      const isThere = !anew && known && (!SIGNED_IN.includes(actor) || (await isSignedIn(known.client)));
      const role = isThere ? known : await roles[actor](this.#server);
      this.#roles.set(actor, role);
      for (const name of role.client.jar.names()) this.#secrets.add(role.client.jar.get(name) ?? "");
      for (const secret of [role.totp, role.known.verifyLink, role.known.resetLink, role.known.recoveryCode])
        if (secret) this.#secrets.add(secret);
    }
  }

  /** What no answer may contain. */
  secretsIn(text: string): string[] {
    return [...this.#secrets].filter((secret) => secret.length >= 16 && text.includes(secret));
  }

  /** @throws if the witness is no longer who it was. */
  checkWitness(): Promise<void> {
    return this.#witness.check();
  }
}

async function createWitness(server: TestServer): Promise<Witness> {
  const password = "witness-Obsidian-kettle-41";
  const person = await signUp(server, { password, userAgent: UA.edgeWindows });
  const expected = JSON.stringify(person.account);
  return {
    person,
    async check() {
      const { client } = person;
      const who = expectStatus(200, await client.get("/api/session"));
      const account = JSON.stringify(need(who, "account"));
      if (account !== expected) throw new Error(`The witness was ${expected} and is ${account}.`);
      const list = need(expectStatus(200, await client.get("/api/sessions")), "sessions");
      if (list.length !== 1) throw new Error(`The witness has ${list.length} sessions and began one.`);
      const again = expectStatus(201, await client.post("/api/session", { email: person.email, password }));
      person.session = need(again, "session");
    },
  };
}
