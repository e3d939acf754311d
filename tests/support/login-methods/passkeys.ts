import type { Answer } from "../requests/answers.ts";
import type { Client } from "../requests/client.ts";
import { expectStatus } from "../requests/people.ts";
import type { TestServer } from "../servers/server.ts";
import { type Forgery, SoftwareAuthenticator } from "./software-authenticator.ts";

type Options = {
  challenge: string;
  allowCredentials?: { id: string; type: string; transports: string[] }[];
};

/** Options for using a passkey; the client keeps the cookie that binds their challenge to it. */
export async function signInOptions(client: Client, email?: string): Promise<Options> {
  const body = email === undefined ? {} : { email };
  return JSON.parse(expectStatus(200, await client.post("/api/session/passkey/options", body)).text);
}

/** Options for making one, for the account that is signed in. */
export async function creationOptions(client: Client): Promise<Options> {
  return JSON.parse(expectStatus(200, await client.post("/api/passkeys/options")).text);
}

/** Adds a passkey to the account that is signed in at a browser. */
export async function addPasskey(
  server: TestServer,
  client: Client,
  authenticator = new SoftwareAuthenticator(server.baseUrl),
): Promise<SoftwareAuthenticator> {
  const passkey = authenticator.create(await creationOptions(client));
  expectStatus(201, await client.post("/api/passkeys", { passkey, name: "Key" }));
  return authenticator;
}

/** Signs in with a passkey, as it is or tampered with. */
export async function passkeySignIn(
  client: Client,
  authenticator: SoftwareAuthenticator,
  forgery: Forgery = {},
): Promise<Answer> {
  const passkey = authenticator.get(await signInOptions(client), forgery);
  return client.post("/api/session/passkey", { passkey });
}
