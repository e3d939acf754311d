import { afterAll, beforeAll, expect, test } from "vitest";
import { findForOperator, resetTwoFactor, suspend } from "../../src/operator.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { addPasskey, passkeySignIn } from "../support/login-methods/passkeys.ts";
import { tokenIn } from "../support/mail/outbox.ts";
import { type Answer, need } from "../support/requests/answers.ts";
import { SECOND } from "../support/requests/clock.ts";
import {
  expectStatus,
  freshEmail,
  halfSignIn,
  OTHER_PASSWORD,
  PASSWORD,
  type Person,
  resetToken,
  signUp,
  signUpConfirmed,
  turnOnTwoFactor,
  verifyEmail,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor, startServer, type TestServer } from "../support/servers/server.ts";
import { Sites } from "./ways.ts";

const SECOND_STEP = "/api/session/two-factor";
const METHODS = "/api/account/login-methods";

/** Every table whose rows belong to an account. */
const TABLES = [
  "session",
  "ended_session",
  "pending_sign_in",
  "emailed_link",
  "two_factor",
  "used_step",
  "recovery_code",
  "known_device",
  "passkey",
  "oidc_identity",
  "activity",
];

describeOnEachEngine("Two accounts with the same browsers and every login method", (engine) => {
  let server: TestServer;
  let sites: Sites;
  let bystander: string;
  beforeAll(async () => {
    sites = await Sites.start();
    server = await startServer({ engine, rateLimits: "off", oidc: sites.options });
    bystander = (await withEverything()).account.id;
  });
  afterAll(async () => {
    await server.close();
    sites.stop();
  });

  /** Someone with everything that an account can have, unfinished things too. */
  async function withEverything({ confirmed = true } = {}) {
    const person = await signUp(server);
    const { client, email: address } = person;
    const verification = await server.outbox.tokenFor(address, "/confirm-email");
    if (confirmed) await verifyEmail(server, person);
    const authenticator = await addPasskey(server, client);
    await sites.connect(client, "plain", person.account.id);
    const { recoveryCodes } = await turnOnTwoFactor(server, person);
    const other = await halfSignIn(server, person, UA.firefoxWindows);
    expectStatus(201, await other.post(SECOND_STEP, { recoveryCode: recoveryCodes[0] }));
    const news = await server.outbox.withSubject(address, "New sign-in: Firefox on Windows");
    await halfSignIn(server, person, UA.safariIphone);
    const email = freshEmail("next");
    expectStatus(202, await client.put("/api/account/email", { email, currentPassword: PASSWORD }));
    const links = {
      verification,
      notMe: tokenIn(news, "/not-me"),
      change: await server.outbox.tokenFor(email, "/confirm-email"),
      reversal: confirmed ? await server.outbox.tokenFor(address, "/keep-email") : "",
      reset: await resetToken(server, address),
    };
    return { ...person, authenticator, other, recoveryCodes, links };
  }

  /** Everything that the database has about the bystander, except when its sessions were last used. */
  async function rowsOfBystander() {
    const rows: Record<string, unknown[]> = {
      account: await server.database.read(`select * from account where id = '${bystander}'`),
    };
    for (const table of TABLES) {
      const found = await server.database.read(`select * from ${table} where account_id = '${bystander}'`);
      rows[table] = found
        .map((row) => (table === "session" ? { ...row, last_used_at: null } : row))
        .sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
    }
    return rows;
  }

  const anyone = () => server.client(UA.safariMac);
  const reset = ({ reset: token }: { reset: string }) =>
    anyone().put("/api/password-resets", { token, password: OTHER_PASSWORD });

  type Step = (name: string, answer: Answer | Promise<Answer> | Promise<unknown>) => Promise<void>;

  /** What happens to the other account, one event after another. */
  const STORIES: Record<string, (step: Step) => Promise<void>> = {
    "what its owner does in the settings": async (step) => {
      const someone = await withEverything();
      const { account, authenticator, recoveryCodes, other } = someone;
      await step("a sign-in with a passkey", passkeySignIn(server.client(UA.firefoxLinux), authenticator));
      await step("a sign-in with a site", sites.signIn(server.client(UA.firefoxLinux), "plain", account.id));
      const client = await halfSignIn(server, someone, UA.chromeMac);
      const [, second, third, fourth] = recoveryCodes;
      await step("a sign-in in the same browser", client.post(SECOND_STEP, { recoveryCode: second }));
      const methodId = async (kind: string) =>
        need(await client.get(METHODS), "methods").find((one) => one.kind === kind)?.id;
      const passkey = `${METHODS}/${await methodId("passkey")}`;
      await step("another name of a passkey", client.put(passkey, { name: "Mine" }));
      await step("a log-out of other devices", client.delete("/api/sessions"));
      expect((await other.get("/api/session")).status).toBe(401);
      const withCode = { currentPassword: PASSWORD, recoveryCode: third };
      const renewed = await client.post("/api/account/two-factor/recovery-codes", withCode);
      await step("new recovery codes", renewed);
      expect(need(renewed, "recoveryCodes")).not.toContain(fourth);
      const passwords = { currentPassword: PASSWORD, newPassword: OTHER_PASSWORD };
      await step("a change of the password", client.put("/api/account/password", passwords));
      const off = { currentPassword: OTHER_PASSWORD, recoveryCode: need(renewed, "recoveryCodes")[0] };
      await step("the end of 2FA", client.delete("/api/account/two-factor", off));
      await step("the end of a site", client.delete(`${METHODS}/${await methodId("oidc")}`));
      await step("the end of the password", client.delete(`${METHODS}/password`));
      await step("the first password", client.put("/api/account/password", { newPassword: PASSWORD }));
      await step("the end of a passkey", client.delete(passkey));
      await step("the end of the account", client.delete("/api/account", { currentPassword: PASSWORD }));
    },
    "a change of its address that is taken back": async (step) => {
      const { client, other, links } = await withEverything();
      await step("a log-out", other.delete("/api/session"));
      await step("the change", client.post("/api/email-confirmations", { token: links.change }));
      await step("the reversal", anyone().post("/api/email-reversals", { token: links.reversal }));
    },
    "what is done by emailed links": async (step) => {
      const { links } = await withEverything();
      await step("a cancelled change", anyone().post("/api/email-reversals", { token: links.reversal }));
      await step("a reset", reset(links));
      await step("a report", anyone().post("/api/not-me", { token: links.notMe }));
    },
    "what is done from outside": async (step) => {
      const { latchkey, clock } = server;
      const { account, email } = await withEverything();
      await step("the end of all its sessions", latchkey.sessions.endAll(account.id));
      for (const act of [resetTwoFactor, suspend]) {
        const found = await findForOperator(latchkey.parts, email);
        await step(act.name, Promise.resolve(found.ok && act(latchkey.parts, found.account, clock.now())));
      }
    },
    "what its owner does if a stranger created it": async (step) => {
      const { links } = await withEverything({ confirmed: false });
      const confirmed = anyone().post("/api/email-confirmations", { token: links.verification });
      await step("the confirmation", confirmed);
      await step("the reset", reset(links));
    },
    "its owner's answer that it isn't theirs": async (step) => {
      const { links } = await withEverything({ confirmed: false });
      const disowned = { token: links.verification, mine: false };
      await step("the word", anyone().post("/api/email-confirmations", disowned));
    },
  };

  test.each(Object.entries(STORIES))("nothing in one changes with %s", async (_story, tell) => {
    const before = await rowsOfBystander();
    for (const [table, rows] of Object.entries(before))
      if (table !== "ended_session") expect(rows.length, `rows in ${table}`).toBeGreaterThan(0);
    await tell(async (name, answer) => {
      const done = await answer;
      if (isAnswer(done)) expect(done.status, `${name}: ${done.text}`).toBeLessThan(300);
      expect(await rowsOfBystander(), name).toEqual(before);
    });
  });
});

describeOnEachEngine("What another account sets up", (engine) => {
  const server = serverFor(engine, { rateLimits: "off" });

  async function expectCodeAfterReset(email: string): Promise<void> {
    const token = await resetToken(server(), email);
    const body = { token, password: OTHER_PASSWORD };
    expectStatus(204, await server().client().put("/api/password-resets", body));
    await halfSignIn(server(), { email, password: OTHER_PASSWORD });
  }

  test("after a change of an address began doesn't turn off 2FA when that is taken back", async () => {
    const owner = await signUpConfirmed(server());
    const { client } = owner;
    await turnOnTwoFactor(server(), owner);
    server().clock.advance(SECOND);
    const email = freshEmail("new");
    expectStatus(202, await client.put("/api/account/email", { email, currentPassword: PASSWORD }));
    server().clock.advance(SECOND);
    await turnOnTwoFactor(server(), await signUp(server()));
    const change = await server().outbox.tokenFor(email, "/confirm-email");
    expectStatus(204, await client.post("/api/email-confirmations", { token: change }));
    const reversal = await server().outbox.tokenFor(owner.email, "/keep-email");
    expectStatus(204, await server().client().post("/api/email-reversals", { token: reversal }));
    await expectCodeAfterReset(owner.email);
  });

  test("after a change of an address began, such as a link of its own, stays when that is taken back", async () => {
    const [owner, other] = [await signUpConfirmed(server()), await signUpConfirmed(server())];
    const [first, second] = [freshEmail("first"), freshEmail("second")];
    const ask = ({ client }: Person, email: string) =>
      client.put("/api/account/email", { email, currentPassword: PASSWORD });
    expectStatus(202, await ask(owner, first));
    server().clock.advance(SECOND);
    expectStatus(202, await ask(other, second));
    const change = await server().outbox.tokenFor(first, "/confirm-email");
    expectStatus(204, await owner.client.post("/api/email-confirmations", { token: change }));
    for (const { email } of [owner, other]) {
      const token = await server().outbox.tokenFor(email, "/keep-email");
      expectStatus(204, await server().client().post("/api/email-reversals", { token }));
    }
    expectStatus(200, await other.client.get("/api/session"));
  });

  test("before an owner took over an account doesn't turn off 2FA that the owner has taken over with it", async () => {
    await turnOnTwoFactor(server(), await signUp(server()));
    const person = await signUp(server());
    await turnOnTwoFactor(server(), person);
    await verifyEmail(server(), person);
    await expectCodeAfterReset(person.email);
  });
});

function isAnswer(done: unknown): done is Answer {
  return typeof done === "object" && done !== null && "setCookies" in done;
}
