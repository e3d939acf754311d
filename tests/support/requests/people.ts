import { randomBytes } from "node:crypto";
import { codeAt, STEP } from "../login-methods/totp.ts";
import type { TestServer } from "../servers/server.ts";
import { type Account, type Answer, need, type Session } from "./answers.ts";
import type { Client } from "./client.ts";
import type { Clock } from "./clock.ts";

export const PASSWORD = "quartz-Lantern-burrow-58";
export const OTHER_PASSWORD = "velvet-Harbour-thistle-23";
export const WRONG_PASSWORD = "marble-Cactus-whistle-77";

/** Someone with an account, in the browser that created it. */
export type Person = {
  email: string;
  password: string;
  client: Client;
  account: Account;
  session: Session;
};

export type Device = { client: Client; session: Session };

export type TwoFactor = { secret: string; recoveryCodes: string[] };

export function freshEmail(name = "ada"): string {
  return `${name}.${randomBytes(6).toString("hex")}@example.test`;
}

/** Creates an account with a browser. */
export async function signUp(
  server: Pick<TestServer, "client">,
  {
    email = freshEmail(),
    password = PASSWORD,
    userAgent,
  }: Partial<Record<"email" | "password" | "userAgent", string>> = {},
): Promise<Person> {
  const client = server.client(userAgent);
  const answer = expectStatus(201, await client.post("/api/accounts", { email, password }));
  return { email, password, client, account: need(answer, "account"), session: need(answer, "session") };
}

/** The same person in another browser, or in a given one. */
export async function signIn(
  server: Pick<TestServer, "client">,
  person: Pick<Person, "email" | "password">,
  browser: string | Client,
): Promise<Device> {
  const client = typeof browser === "string" ? server.client(browser) : browser;
  const answer = expectStatus(201, await trySignIn(client, person));
  return { client, session: need(answer, "session") };
}

export function trySignIn(client: Client, { email, password }: { email: string; password: string }) {
  return client.post("/api/session", { email, password });
}

/** Turns the second factor on, with the code of the step before, so that the current one is still unused. */
export async function turnOnTwoFactor(
  server: { clock: Pick<Clock, "now"> },
  person: Person,
): Promise<TwoFactor> {
  const { client, password: currentPassword } = person;
  const begun = expectStatus(201, await client.post("/api/account/two-factor", { currentPassword }));
  const secret = need(begun, "secret");
  const step = () => Math.floor(server.clock.now() / STEP);
  /** With the code of the step before, so that the current one can still be given; it is too old if a step begins meanwhile. */
  const confirm = async (): Promise<Answer> => {
    const before = step();
    const code = codeAt(secret, server.clock.now(), -1);
    const answer = await client.put("/api/account/two-factor", { code });
    return answer.status === 422 && step() !== before ? confirm() : answer;
  };
  const done = expectStatus(200, await confirm());
  return { secret, recoveryCodes: need(done, "recoveryCodes") };
}

/** Gives the password only: a browser with a pending sign-in. */
export async function halfSignIn(
  server: Pick<TestServer, "client">,
  person: Pick<Person, "email" | "password">,
  userAgent?: string,
): Promise<Client> {
  const client = server.client(userAgent);
  expectStatus(202, await trySignIn(client, person));
  return client;
}

/** Both factors, with the code of the current step. */
export async function signInWithCode(
  server: TestServer,
  person: Pick<Person, "email" | "password">,
  secret: string,
  userAgent?: string,
): Promise<Device> {
  const client = await halfSignIn(server, person, userAgent);
  const code = codeAt(secret, server.clock.now());
  const answer = expectStatus(201, await client.post("/api/session/two-factor", { code }));
  return { client, session: need(answer, "session") };
}

/** Confirms the address of a new account, with the email that its sign-up sent. */
export async function verifyEmail(server: TestServer, person: Person): Promise<void> {
  const token = await server.outbox.tokenFor(person.email, "/confirm-email");
  expectStatus(204, await server.client().post("/api/email-confirmations", { token }));
}

/** Creates an account with a browser, and confirms its address. */
export async function signUpConfirmed(
  server: TestServer,
  given: Partial<Record<"email" | "password" | "userAgent", string>> = {},
): Promise<Person> {
  const person = await signUp(server, given);
  await verifyEmail(server, person);
  return person;
}

/** Requests a reset and takes the link from the email. */
export async function resetToken(server: TestServer, email: string): Promise<string> {
  const earlier = (await server.outbox.to(email)).at(-1);
  expectStatus(202, await server.client().post("/api/password-resets", { email }));
  return server.outbox.tokenFor(email, "/reset-password", earlier);
}

/**
 * Requests a change of the address, with the usual password, and takes the link from the email to the new
 * one.
 */
export async function changeToken(
  server: TestServer,
  { client }: Pick<Person, "client">,
  email: string,
): Promise<string> {
  expectStatus(202, await client.put("/api/account/email", { email, currentPassword: PASSWORD }));
  return server.outbox.tokenFor(email, "/confirm-email");
}

/** Changes the address, and confirms it. The earlier address gets a link to take it back. */
export async function changeAddress(
  server: TestServer,
  person: Pick<Person, "client">,
  email = freshEmail("new"),
): Promise<void> {
  const token = await changeToken(server, person, email);
  expectStatus(204, await person.client.post("/api/email-confirmations", { token }));
}

export async function listOf(client: Client): Promise<Session[]> {
  return need(expectStatus(200, await client.get("/api/sessions")), "sessions");
}

export async function isSignedIn(client: Client): Promise<boolean> {
  return (await client.get("/api/session")).status === 200;
}

export async function activityOf(client: Client) {
  return need(expectStatus(200, await client.get("/api/activity")), "events");
}

/** Returns the answer. @throws if it isn't what the test's preparations need. */
export function expectStatus(status: number, answer: Answer): Answer {
  if (answer.status !== status) throw new Error(`${answer.status} instead of ${status}: ${answer.text}`);
  return answer;
}
