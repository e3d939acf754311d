import { expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { addPasskey, creationOptions, signInOptions } from "../support/login-methods/passkeys.ts";
import { SoftwareAuthenticator } from "../support/login-methods/software-authenticator.ts";
import { type Answer, need } from "../support/requests/answers.ts";
import {
  changeAddress,
  expectStatus,
  freshEmail,
  isSignedIn,
  OTHER_PASSWORD,
  PASSWORD,
  signIn,
  signUp,
  trySignIn,
  verifyEmail,
  WRONG_PASSWORD,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { together } from "../support/servers/together.ts";
import { twoNodesFor } from "../support/servers/two-nodes.ts";

const TAKERS = 32;

/** How many succeeded; all others got these refusals. */
function winners(answers: Answer[], success: number, ...refusals: number[]): number {
  for (const { status, text } of answers) expect([success, ...refusals], text).toContain(status);
  return answers.filter(({ status }) => status === success).length;
}

describeOnEachEngine("What can be used once, tried by 32 at once on two nodes", (engine) => {
  const nodes = twoNodesFor(engine, { signUp: "verify-first" });
  const open = twoNodesFor(engine);
  const takers = ({ browser }: ReturnType<typeof nodes>) =>
    Array.from({ length: TAKERS }, (_, taker) => browser(taker, UA.script));

  test("a sign-up link makes one account", async () => {
    const { server } = nodes();
    const email = freshEmail();
    expectStatus(202, await server.client().post("/api/accounts", { email, password: PASSWORD }));
    const token = await server.outbox.tokenFor(email, "/sign-up");
    const answers = await together(takers(nodes()), (taker) =>
      taker.put("/api/accounts", { token, password: PASSWORD }),
    );
    // Each has a password to hash: a slow machine tells the last of them to try later.
    expect(winners(answers, 201, 410, 503)).toBe(1);
  });

  test("of the sign-up links, and of the reset links, that 16 request at once, one is left", async () => {
    for (const round of [1, 2, 3]) {
      const { server } = nodes();
      const email = freshEmail(`asked${round}`);
      const asking = takers(nodes()).slice(0, 16);
      await together(asking, (taker) => taker.post("/api/accounts", { email, password: PASSWORD }));
      await server.outbox.waitFor(email, 16);
      const person = await signUp(open().server);
      await together(takers(open()).slice(0, 16), (taker) =>
        taker.post("/api/password-resets", { email: person.email }),
      );
      await open().server.outbox.waitFor(person.email, 17);
      const left = (of: typeof server, kind: string, address: string) =>
        of.database.read(
          `select kind from emailed_link where kind = '${kind}' and email_key = '${address.toLowerCase()}'`,
        );
      expect(await left(server, "sign_up", email)).toHaveLength(1);
      expect(await left(open().server, "reset_password", person.email)).toHaveLength(1);
    }
  });

  test("a link that takes back an email change does so once", async () => {
    const { server } = open();
    const person = await signUp(server);
    await verifyEmail(server, person);
    await changeAddress(server, person);
    const keep = await server.outbox.tokenFor(person.email, "/keep-email");
    const answers = await together(takers(open()), (taker) =>
      taker.post("/api/email-reversals", { token: keep }),
    );
    expect(winners(answers, 204, 410)).toBe(1);
  });

  test("a link that reports a session does so once", async () => {
    const { server } = open();
    const person = await signUp(server);
    const thief = await signIn(server, person, UA.firefoxWindows);
    const token = await server.outbox.tokenFor(person.email, "/not-me");
    const answers = await together(takers(open()), (taker) => taker.post("/api/not-me", { token }));
    expect(winners(answers, 204, 410)).toBe(1);
    expect(await isSignedIn(thief.client)).toBe(false);
  });

  test("one challenge signs in, and adds a passkey, once", async () => {
    const { server } = open();
    const person = await signUp(server);
    await verifyEmail(server, person);
    const key = await addPasskey(server, person.client);
    const signingIn = takers(open());
    const [first] = signingIn;
    if (!first) throw new Error("unreachable");
    const used = key.get(await signInOptions(first));
    for (const { jar } of signingIn) jar.set("latchkey-ceremony", first.jar.get("latchkey-ceremony") ?? "");
    const signedIn = await together(signingIn, (taker) =>
      taker.post("/api/session/passkey", { passkey: used }),
    );
    expect(winners(signedIn, 201, 401)).toBe(1);

    const made = new SoftwareAuthenticator(server.baseUrl).create(await creationOptions(person.client));
    const adding = takers(open());
    for (const { jar } of adding)
      for (const name of ["latchkey", "latchkey-ceremony"]) jar.set(name, person.client.jar.get(name) ?? "");
    const added = await together(adding, (taker) =>
      taker.post("/api/passkeys", { passkey: made, name: "Key" }),
    );
    expect(winners(added, 201, 422)).toBe(1);
    const methods = need(await person.client.get("/api/account/login-methods"), "methods");
    expect(methods.map(({ kind }) => kind).sort()).toEqual(["passkey", "passkey", "password"]);
  });
});

describeOnEachEngine("Limits, when 32 try at once on two nodes", (engine) => {
  const nodes = twoNodesFor(engine, { rateLimits: "on" });
  const takers = () => Array.from({ length: TAKERS }, (_, taker) => nodes().browser(taker));

  test("let ten passwords be judged and no more, right ones neither", async () => {
    const person = await signUp(nodes().server);
    const answers = await together(takers(), (taker) =>
      trySignIn(taker, { email: person.email, password: WRONG_PASSWORD }),
    );
    expect(winners(answers, 401, 429)).toBe(10);
    expect((await trySignIn(nodes().browser(1), person)).status).toBe(429);
  });

  test("let five emails be asked for and no more", async () => {
    const person = await signUp(nodes().server);
    const answers = await together(takers(), (taker) =>
      taker.post("/api/password-resets", { email: person.email }),
    );
    expect(winners(answers, 202, 429)).toBe(5);
  });

  test("let ten changes with a wrong current password be checked and no more", async () => {
    const person = await signUp(nodes().server);
    const changing = takers();
    for (const taker of changing) taker.token = person.client.token;
    const answers = await together(changing, (taker) =>
      taker.put("/api/account/password", { currentPassword: WRONG_PASSWORD, newPassword: OTHER_PASSWORD }),
    );
    expect(winners(answers, 403, 429)).toBe(10);
  });
});
