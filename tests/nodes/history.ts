import { addPasskey, passkeySignIn } from "../support/login-methods/passkeys.ts";
import { SoftwareAuthenticator } from "../support/login-methods/software-authenticator.ts";
import type { Answer } from "../support/requests/answers.ts";
import type { Client } from "../support/requests/client.ts";
import {
  OTHER_PASSWORD,
  PASSWORD,
  type Person,
  signUp,
  trySignIn,
  verifyEmail,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import type { TwoNodes } from "../support/servers/two-nodes.ts";

const AGENTS = [UA.firefoxWindows, UA.safariIphone, UA.edgeWindows, UA.firefoxLinux, UA.script];
/** How many of each of a person's actions are under way at once. */
const HANDS = 3;

/** A token that someone was given, for which session, and when the answer to its ending arrived. */
type Given = { token: string; sessionId: string; agent: string; endedAt: number };

/** Everything that was asked and answered, with times, all by one clock. */
export type History = {
  did: Record<"signedIn" | "ended" | "endedOthers" | "changedPassword", number>;
  checks: { given: Given; began: number; passed: boolean }[];
};

/** Every check that passed although it began after the answer to its token's ending. */
export function violations({ checks }: History): number {
  return checks.filter(({ given, began, passed }) => passed && began > given.endedAt).length;
}

/** Numbers from 0 to 1, the same for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Some people sign in, end sessions, change passwords and ask who they are, at random on all nodes, all at once. */
export async function live(
  nodes: TwoNodes,
  how: { people: number; steps: number; seed: number },
): Promise<History> {
  const history: History = {
    did: { signedIn: 0, ended: 0, endedOthers: 0, changedPassword: 0 },
    checks: [],
  };
  const lives = Array.from({ length: how.people }, async (_, number) => {
    const person = await signUp(nodes.server);
    await verifyEmail(nodes.server, person);
    const hands = Array.from({ length: HANDS }, async (_none, hand) => {
      const key = await addPasskey(
        nodes.server,
        person.client,
        new SoftwareAuthenticator(nodes.server.baseUrl),
      );
      return { key, random: randomFrom(how.seed + number * HANDS + hand) };
    });
    const own = new OneLife(nodes, person, history);
    await Promise.all((await Promise.all(hands)).map((hand) => own.live(hand, how.steps)));
  });
  await Promise.all(lives);
  return history;
}

type Hand = { key: SoftwareAuthenticator; random: () => number };

class OneLife {
  readonly #nodes: TwoNodes;
  readonly #person: Person;
  readonly #history: History;
  readonly #given: Given[];

  constructor(nodes: TwoNodes, person: Person, history: History) {
    this.#nodes = nodes;
    this.#person = person;
    this.#history = history;
    this.#given = [
      { token: person.client.token, sessionId: person.session.id, agent: UA.chromeMac, endedAt: Infinity },
    ];
  }

  async live(hand: Hand, steps: number): Promise<void> {
    const { random } = hand;
    for (let step = 0; step < steps; step++) {
      const acting = this.#pick(
        random,
        this.#given.filter(({ endedAt }) => endedAt === Infinity),
      );
      const dice = random();
      if (!acting || dice < 0.45) await this.#signIn(hand);
      else if (dice < 0.65) await this.#endOne(acting, random);
      else if (dice < 0.8) await this.#logOut(acting, random);
      else if (dice < 0.93) await this.#endOthers(acting, random);
      else await this.#changePassword(acting, random);
    }
  }

  async #signIn({ key, random }: Hand): Promise<void> {
    const agent = this.#pick(random, AGENTS) ?? UA.script;
    const client = this.#nodes.browser(this.#node(random), agent);
    const replaced = agent === UA.script ? [] : this.#given.filter((given) => given.agent === agent);
    const signIn = () => (random() < 0.05 ? trySignIn(client, this.#person) : passkeySignIn(client, key));
    const answer = await this.#chase(replaced.at(-1), signIn, () => this.#end(replaced));
    const sessionId = answer.body.session?.id;
    if (sessionId === undefined) return;
    this.#given.push({ token: client.token, sessionId, agent, endedAt: Infinity });
    this.#history.did.signedIn += 1;
  }

  async #endOne(acting: Given, random: () => number): Promise<void> {
    const other = this.#pick(
      random,
      this.#given.filter((given) => given.sessionId !== acting.sessionId),
    );
    if (!other) return;
    const client = this.#at(acting, this.#node(random));
    const end = () => client.delete(`/api/sessions/${other.sessionId}`);
    // A 404 would prove nothing: it is also the answer if the asking session has ended meanwhile.
    const answer = await this.#chase(other, end, () => this.#endSession(other.sessionId));
    if (answer.status === 204) this.#history.did.ended += 1;
  }

  async #logOut(acting: Given, random: () => number): Promise<void> {
    const client = this.#at(acting, this.#node(random));
    const end = () => client.delete("/api/session");
    const answer = await this.#chase(acting, end, () => this.#endSession(acting.sessionId));
    if (answer.status === 204) this.#history.did.ended += 1;
  }

  async #endOthers(acting: Given, random: () => number): Promise<void> {
    const others = this.#given.filter((given) => given.sessionId !== acting.sessionId);
    const client = this.#at(acting, this.#node(random));
    const end = () => client.delete("/api/sessions");
    const answer = await this.#chase(others.at(-1), end, () => this.#end(others));
    if (answer.status === 200) this.#history.did.endedOthers += 1;
  }

  /** The session that changes it stays, with a new token. */
  async #changePassword(acting: Given, random: () => number): Promise<void> {
    const before = [...this.#given];
    const client = this.#at(acting, this.#node(random));
    const currentPassword = this.#person.password;
    const newPassword = currentPassword === PASSWORD ? OTHER_PASSWORD : PASSWORD;
    const change = () => client.put("/api/account/password", { currentPassword, newPassword });
    const answer = await this.#chase(acting, change, () => this.#end(before));
    if (answer.status !== 204) return;
    this.#person.password = newPassword;
    this.#given.push({ ...acting, token: client.token, endedAt: Infinity });
    this.#history.did.changedPassword += 1;
  }

  /**
   * Asks all nodes who a token belongs to while its session is being ended, and once more as soon as that is
   * answered.
   */
  async #chase(victim: Given | undefined, act: () => Promise<Answer>, end: () => void): Promise<Answer> {
    let answered = false;
    const chasers = [0, 1, 2].map(async (node) => {
      while (victim && !answered) await this.#check(victim, node);
      if (victim) await this.#check(victim, node);
    });
    const answer = await act();
    answered = true;
    if (answer.status < 300) end();
    await Promise.all(chasers);
    return answer;
  }

  async #check(given: Given, node: number): Promise<void> {
    const client = this.#at(given, node);
    const began = performance.now();
    const { status } = await client.get("/api/session");
    this.#history.checks.push({ given, began, passed: status === 200 });
  }

  #at({ token, agent }: Given, node: number): Client {
    const client = this.#nodes.browser(node, agent);
    client.token = token;
    return client;
  }

  #node(random: () => number): number {
    return Math.floor(random() * 3);
  }

  #pick<T>(random: () => number, from: readonly T[]): T | undefined {
    return from[Math.floor(random() * from.length)];
  }

  #endSession(sessionId: string): void {
    this.#end(this.#given.filter((given) => given.sessionId === sessionId));
  }

  #end(ended: Given[]): void {
    const now = performance.now();
    for (const given of ended) given.endedAt = Math.min(given.endedAt, now);
  }
}
