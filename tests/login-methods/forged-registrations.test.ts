import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import {
  addPasskey,
  creationOptions,
  passkeySignIn,
  signInOptions,
} from "../support/login-methods/passkeys.ts";
import {
  type Answered,
  cbor,
  type Forgery,
  SoftwareAuthenticator,
} from "../support/login-methods/software-authenticator.ts";
import { need } from "../support/requests/answers.ts";
import { MINUTE } from "../support/requests/clock.ts";
import { expectRefusal } from "../support/requests/expectations.ts";
import { expectStatus, freshEmail, signUp } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor } from "../support/servers/server.ts";

const forgeries: Record<string, Forgery> = {
  "another origin": { origin: "https://login.example.com" },
  "another site's hash": { rpId: "login.example.com" },
  "an invented challenge": { challenge: randomBytes(32).toString("base64url") },
  "the type of a sign-in": { type: "webauthn.get" },
  "nobody present": { userPresent: false },
  "an id longer than any is": { id: randomBytes(1_024).toString("base64url") },
  "an id too long for an index": { id: randomBytes(4_000).toString("base64url") },
};

/** One of every JSON type, and strings that have broken parsers before. */
const GARBAGE: unknown[] = [
  null,
  true,
  0,
  -1.5,
  1e308,
  "",
  "x",
  "\u0000",
  "♥",
  "A".repeat(20_000),
  [],
  [null],
  {},
  { length: 7 },
  { __proto__: null, toString: 1 },
];

/** Fields that no decision depends on: who a credential belongs to is stored here. */
const IGNORED = /^(clientExtensionResults|response\.(transports|userHandle))$/;

const base64 = (value: string | Buffer) => Buffer.from(value).toString("base64url");

const CLIENT_DATA = [null, 7, "text", [], {}, { challenge: 7 }, { challenge: null, type: [] }].map((value) =>
  base64(JSON.stringify(value)),
);

/** CBOR that claims more than it holds, never ends, or is nested without end. */
const ATTESTATIONS = [
  Buffer.alloc(0),
  Buffer.from([0xff]),
  Buffer.from([0x9f]),
  Buffer.from([0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
  Buffer.from([0x5a, 0xff, 0xff, 0xff, 0xff]),
  Buffer.alloc(30_000, 0x81),
  cbor(new Map<string, unknown>([["fmt", "none"]])),
  cbor(
    new Map<string, unknown>([
      ["fmt", "packed"],
      ["attStmt", new Map<string, unknown>([["alg", -7]])],
      ["authData", Buffer.alloc(37)],
    ]),
  ),
  cbor(
    new Map<string, unknown>([
      ["fmt", "none"],
      ["attStmt", new Map()],
      ["authData", Buffer.alloc(3)],
    ]),
  ),
].map(base64);

/** An answer with each of its fields, at every depth, replaced by each kind of garbage. */
function* garbled(honest: Answered): Generator<[where: string, answer: unknown]> {
  for (const value of GARBAGE) yield ["passkey", value];
  for (const field of Object.keys(honest)) {
    for (const value of GARBAGE) yield [field, { ...honest, [field]: value }];
  }
  for (const field of Object.keys(honest.response)) {
    const special =
      field === "clientDataJSON" ? CLIENT_DATA : field === "attestationObject" ? ATTESTATIONS : [];
    for (const value of [...GARBAGE, ...special])
      yield [`response.${field}`, { ...honest, response: { ...honest.response, [field]: value } }];
  }
}

describeOnEachEngine("Forged registrations of passkeys", (engine) => {
  const server = serverFor(engine, { rateLimits: "off" });

  test.each(Object.entries(forgeries))("are refused with %s", async (_what, forgery) => {
    const { client } = await signUp(server());
    const authenticator = new SoftwareAuthenticator(server().baseUrl);
    const passkey = authenticator.create(await creationOptions(client), forgery);
    expectRefusal(await client.post("/api/passkeys", { passkey, name: "Key" }), 422, "wrong_passkey");
    expectRefusal(await passkeySignIn(server().client(), authenticator), 401, "wrong_passkey");
  });

  test("can't take over a known credential, neither another's nor one's own", async () => {
    const victim = await signUp(server());
    const taken = await addPasskey(server(), victim.client);
    const thief = await signUp(server());
    for (const { client } of [thief, victim]) {
      const copy = new SoftwareAuthenticator(server().baseUrl, taken.id);
      const passkey = copy.create(await creationOptions(client));
      expectRefusal(await client.post("/api/passkeys", { passkey, name: "Key" }), 409, "method_taken");
      expectRefusal(await passkeySignIn(server().client(), copy, { counter: 99 }), 401, "wrong_passkey");
    }
    const email = freshEmail();
    const client = server().client();
    const begun = expectStatus(200, await client.post("/api/passkeys/options", { email }));
    const copy = new SoftwareAuthenticator(server().baseUrl, taken.id);
    const passkey = copy.create(JSON.parse(begun.text));
    expectRefusal(await client.post("/api/accounts", { email, passkey }), 409, "method_taken");
    const answer = expectStatus(201, await passkeySignIn(server().client(), taken));
    expect(need(answer, "account").id).toBe(victim.account.id);
  });

  test("need a live session, a fresh proof, and the very session that asked", async () => {
    const stranger = server().client();
    expectRefusal(await stranger.post("/api/passkeys/options"), 401, "signed_out");
    const person = await signUp(server());
    const authenticator = new SoftwareAuthenticator(server().baseUrl);
    const passkey = () => creationOptions(person.client).then((options) => authenticator.create(options));
    const made = await passkey();
    expectRefusal(await stranger.post("/api/passkeys", { passkey: made }), 401, "signed_out");

    const other = await signUp(server(), { userAgent: UA.firefoxWindows });
    const binding = person.client.jar.get("latchkey-ceremony") ?? "";
    other.client.jar.set("latchkey-ceremony", binding);
    expectRefusal(await other.client.post("/api/passkeys", { passkey: made }), 422, "wrong_passkey");

    const late = await passkey();
    server().clock.advance(11 * MINUTE);
    expectRefusal(await person.client.post("/api/passkeys/options"), 403, "proof_needed");
    expectRefusal(await person.client.post("/api/passkeys", { passkey: late }), 422, "wrong_passkey");
    server().clock.advance(-11 * MINUTE);
    expect(need(await person.client.get("/api/account/login-methods"), "methods")).toHaveLength(1);
  });

  test("for a sign-up create an account with the address that they were begun for, no other", async () => {
    const client = server().client();
    const begun = await client.post("/api/passkeys/options", { email: freshEmail() });
    const passkey = new SoftwareAuthenticator(server().baseUrl).create(JSON.parse(begun.text));
    const asked = (email: string) => client.post("/api/accounts", { email, passkey });
    expectRefusal(await asked("ada@"), 422, "invalid_email");
    expectRefusal(await asked(freshEmail()), 422, "wrong_passkey");
  });

  describe("garbage of every kind, in each field", () => {
    test("is refused, or ignored if nothing depends on it, and never a 500 when a passkey is added", async () => {
      const { client } = await signUp(server());
      const authenticator = new SoftwareAuthenticator(server().baseUrl);
      const sample = authenticator.create(await creationOptions(client));
      const taken: string[] = [];
      for (const [at, [where]] of [...garbled(sample)].entries()) {
        const fresh = authenticator.create(await creationOptions(client), {
          id: randomBytes(16).toString("base64url"),
        });
        const passkey = [...garbled(fresh)][at]?.[1];
        const { status, text } = await client.post("/api/passkeys", { passkey, name: "Key" });
        expect([201, 409, 413, 422], `${where}: ${text}`).toContain(status);
        if (status === 201) taken.push(where);
      }
      expect(taken).not.toEqual([]);
      expect(taken.filter((where) => !IGNORED.test(where))).toEqual([]);
    });

    test("is refused, or ignored if nothing depends on it, and never a 500 when one is used", async () => {
      const person = await signUp(server());
      const authenticator = await addPasskey(server(), person.client);
      const client = server().client(UA.firefoxWindows);
      const sample = authenticator.get(await signInOptions(client), { userHandle: "AAAA" });
      const taken: string[] = [];
      for (const [at, [where]] of [...garbled(sample)].entries()) {
        const fresh = authenticator.get(await signInOptions(client), { userHandle: "AAAA" });
        const passkey = [...garbled(fresh)][at]?.[1];
        const { status, text } = await client.post("/api/session/passkey", { passkey });
        expect([201, 401, 413, 422], `${where}: ${text}`).toContain(status);
        if (status === 201) taken.push(where);
      }
      expect(taken).not.toEqual([]);
      expect(taken.filter((where) => !IGNORED.test(where))).toEqual([]);
    });

    test("is never a 500, and signs nobody in, when an address is asked for", async () => {
      const client = server().client();
      for (const email of GARBAGE) {
        const asked = [
          client.post("/api/session/passkey/options", { email }),
          client.post("/api/passkeys/options", { email }),
          client.post("/api/password-resets", { email }),
          client.post("/api/session", { email, password: email }),
        ];
        for (const { status, text } of await Promise.all(asked))
          expect([200, 202, 401, 422], text).toContain(status);
        expect(client.token).toBe("");
      }
    });
  });
});
