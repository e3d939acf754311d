import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Sites } from "../login-methods/ways.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { SoftwareAuthenticator } from "../support/login-methods/software-authenticator.ts";
import { expectRefusal, expectTooMany } from "../support/requests/expectations.ts";
import { expectStatus, freshEmail, isSignedIn, PASSWORD, signUp } from "../support/requests/people.ts";
import { countUpTo } from "../support/servers/count-up-to.ts";
import { serverFor, startServer, type TestServer } from "../support/servers/server.ts";

const ACCOUNTS = "/api/accounts";
const SIGN_UPS_OF_A_NETWORK = 300;
const EMAILS_TO_AN_ADDRESS = 5;

describeOnEachEngine("A sign-up", (engine) => {
  let sites: Sites;
  let open: TestServer;
  let closed: TestServer;
  beforeAll(async () => {
    sites = await Sites.start();
    open = await startServer({ engine, oidc: sites.options });
    closed = await startServer({ engine, oidc: sites.options, signUp: "closed" });
  });
  afterAll(async () => {
    await closed.close();
    await open.close();
    sites.stop();
  });
  const verifying = serverFor(engine, { signUp: "verify-first" });

  const signUpAt = (server: TestServer) => {
    const sub = randomBytes(8).toString("hex");
    return sites.signIn(server.client(), "plain", sub, { email: freshEmail(), email_verified: true });
  };

  async function begunWithPasskey(server: TestServer) {
    const [email, client] = [freshEmail(), server.client()];
    const begun = expectStatus(200, await client.post("/api/passkeys/options", { email }));
    const passkey = new SoftwareAuthenticator(server.baseUrl).create(JSON.parse(begun.text));
    return { client, body: { email, passkey } };
  }

  test("counts for its network, whether with a password, a passkey or a site", async () => {
    await signUp(open);
    const [one, another] = [await begunWithPasskey(open), await begunWithPasskey(open)];
    await countUpTo(SIGN_UPS_OF_A_NETWORK - 1, open, "sign_up_network");
    expectStatus(201, await one.client.post(ACCOUNTS, one.body));
    expectTooMany(await another.client.post(ACCOUNTS, another.body));
    expect(await signUpAt(open)).toContain("error=too_many_attempts");
    expectTooMany(await open.client().post(ACCOUNTS, { email: freshEmail(), password: PASSWORD }));
  });

  test("that verifies the address first takes no passkey: it emails a link all the same", async () => {
    const client = verifying().client();
    const email = freshEmail();
    expectRefusal(await client.post("/api/passkeys/options", { email }), 403, "sign_up_closed");
    expectStatus(202, await client.post(ACCOUNTS, { email, passkey: {} }));
    await verifying().outbox.withLink(email, "/sign-up");
    expect(await isSignedIn(client)).toBe(false);
  });

  test("that begins with an email counts for its network, and for the address", async () => {
    const begin = (email: string) => verifying().client().post(ACCOUNTS, { email, password: PASSWORD });
    const email = freshEmail();
    for (let sent = 0; sent < EMAILS_TO_AN_ADDRESS; sent++) expectStatus(202, await begin(email));
    expectTooMany(await begin(email.toUpperCase()));
    expectStatus(202, await begin(freshEmail()));
    await countUpTo(SIGN_UPS_OF_A_NETWORK, verifying(), "sign_up_network");
    expectTooMany(await begin(freshEmail()));
  });

  test("that is closed is closed to passkeys and sites, too", async () => {
    const client = closed.client();
    const email = freshEmail();
    expectRefusal(await client.post("/api/passkeys/options", { email }), 403, "sign_up_closed");
    expectRefusal(await client.post(ACCOUNTS, { email, passkey: {} }), 403, "sign_up_closed");
    expect(await signUpAt(closed)).toContain("error=sign_up_closed");
    expect(await isSignedIn(client)).toBe(false);
  });
});
