import { expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { codeAt } from "../support/login-methods/totp.ts";
import {
  changeToken,
  expectStatus,
  freshEmail,
  halfSignIn,
  isSignedIn,
  listOf,
  OTHER_PASSWORD,
  PASSWORD,
  resetToken,
  signUp,
  trySignIn,
  turnOnTwoFactor,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { together } from "../support/servers/together.ts";
import { twoNodesFor } from "../support/servers/two-nodes.ts";

const TAKERS = 32;

describeOnEachEngine("Two processes on one database", (engine) => {
  const nodes = twoNodesFor(engine);

  const takers = (userAgent?: string) =>
    Array.from({ length: TAKERS }, (_, taker) => nodes().browser(taker, userAgent));

  test("200 sign-ins of one browser at once leave one row (S12)", async () => {
    const { server, browser } = nodes();
    const person = await signUp(server, { userAgent: UA.firefoxWindows });
    const clients = Array.from({ length: 200 }, (_, node) => browser(node, UA.chromeMac));
    const answers = await Promise.all(
      clients.map((client) => client.post("/api/session", { email: person.email, password: PASSWORD })),
    );
    const statuses = new Set(answers.map(({ status }) => status));
    expect(statuses.has(201)).toBe(true);
    for (const status of statuses) expect([201, 503]).toContain(status);
    const labels = (await listOf(person.client)).map(({ label }) => label);
    expect(labels.filter((label) => label === "Chrome on Mac OS")).toHaveLength(1);
    const living = await Promise.all(clients.map(isSignedIn));
    expect(living.filter(Boolean)).toHaveLength(1);
  }, 120_000);

  test("a reset link is used once by 32 takers", async () => {
    const { server } = nodes();
    const person = await signUp(server);
    const token = await resetToken(server, person.email);
    const answers = await together(takers(), (taker) =>
      taker.put("/api/password-resets", { token, password: OTHER_PASSWORD }),
    );
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(1);
    for (const { status } of answers) expect([204, 410]).toContain(status);
  });

  test("an email confirmation is used once by 32 takers", async () => {
    const { server } = nodes();
    const person = await signUp(server);
    const email = freshEmail("new");
    const token = await changeToken(server, person, email);
    const browsers = takers();
    for (const browser of browsers) browser.token = person.client.token;
    const answers = await together(browsers, (taker) => taker.post("/api/email-confirmations", { token }));
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(1);
    for (const { status } of answers) expect([204, 410]).toContain(status);
  });

  test("one recovery code, and one TOTP step, lets one of 32 pending sign-ins in", async () => {
    const { server } = nodes();
    const person = await signUp(server);
    const { secret, recoveryCodes } = await turnOnTwoFactor(server, person);
    for (const factor of [{ recoveryCode: recoveryCodes[0] }, { code: codeAt(secret, server.clock.now()) }]) {
      const halves = takers(UA.script);
      const begun = halves.map((half) => trySignIn(half, person));
      for (const answer of await Promise.all(begun)) expectStatus(202, answer);
      const answers = await together(halves, (half) => half.post("/api/session/two-factor", factor));
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
      for (const { status } of answers) expect([201, 401]).toContain(status);
    }
  }, 60_000);

  test("ten wrong codes at once are ten, on however many nodes", async () => {
    const { server } = nodes();
    const person = await signUp(server);
    await turnOnTwoFactor(server, person);
    const half = await halfSignIn(server, person);
    const same = takers();
    for (const { jar } of same) jar.set("latchkey-sign-in", half.jar.get("latchkey-sign-in") ?? "");
    const answers = await together(same, (taker) =>
      taker.post("/api/session/two-factor", { code: "000000" }),
    );
    const codes = answers.map(({ body }) => body.code);
    expect(codes.filter((code) => code === "wrong_code")).toHaveLength(10);
    expect(codes.filter((code) => code === "sign_in_expired")).toHaveLength(TAKERS - 10);
  });

  test("a sign-in that races a password change leaves no session of the old password", async () => {
    const { server, browser } = nodes();
    for (let round = 0; round < 8; round++) {
      const person = await signUp(server);
      const racers = Array.from({ length: 6 }, (_, node) =>
        browser(
          node,
          [
            UA.firefoxWindows,
            UA.safariIphone,
            UA.firefoxLinux,
            UA.edgeWindows,
            UA.safariMac,
            UA.chromeAndroid,
          ][node],
        ),
      );
      const [change] = await Promise.all([
        person.client.put("/api/account/password", {
          currentPassword: PASSWORD,
          newPassword: OTHER_PASSWORD,
        }),
        ...racers.map((racer) => racer.post("/api/session", { email: person.email, password: PASSWORD })),
      ]);
      expectStatus(204, change);
      expect(await listOf(person.client)).toHaveLength(1);
      for (const racer of racers) expect(await isSignedIn(racer)).toBe(false);
    }
  }, 60_000);

  test("ending a session while its own requests are under way leaves no later success and no revived row", async () => {
    const { server, browser } = nodes();
    const person = await signUp(server);
    for (let round = 0; round < 10; round++) {
      const victim = browser(round, UA.firefoxWindows);
      const signedIn = expectStatus(
        201,
        await victim.post("/api/session", { email: person.email, password: PASSWORD }),
      );
      let endedAt = Number.POSITIVE_INFINITY;
      const late: string[] = [];
      const fly = async (node: number) => {
        const client = browser(node, UA.firefoxWindows);
        client.token = victim.token;
        for (let request = 0; request < 15; request++) {
          const began = performance.now();
          const { status } = await client.get("/api/session");
          if (status === 200 && began > endedAt) late.push(`node ${node}, request ${request}`);
        }
      };
      const end = async () => {
        expectStatus(204, await person.client.delete(`/api/sessions/${signedIn.body.session?.id}`));
        endedAt = performance.now();
      };
      await Promise.all([fly(0), fly(1), fly(2), fly(3), end()]);
      expect(late).toEqual([]);
      expect(await isSignedIn(victim)).toBe(false);
    }
    await server.latchkey.parts.lastUsed.flush(Date.now(), true);
    expect(await listOf(person.client)).toHaveLength(1);
  }, 60_000);
});
