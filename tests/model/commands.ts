import fc from "fast-check";
import { prune } from "../../src/sessions/prune.ts";
import { STEP } from "../support/login-methods/totp.ts";
import { need } from "../support/requests/answers.ts";
import { DAY, HOUR, MINUTE } from "../support/requests/clock.ts";
import {
  expectStatus,
  freshEmail,
  OTHER_PASSWORD,
  PASSWORD,
  resetToken,
} from "../support/requests/people.ts";
import { betweenFactors, givesCode, PENDING, signsIn } from "./signing-in.ts";
import { change, type SignedIn, type Step, step } from "./step.ts";
import { BROWSER_COUNT, expectNobody, IDLE, LIFETIME, type World } from "./world.ts";

const othersOf = ({ session, account }: SignedIn, world: World) =>
  world.sessions().filter((one) => one !== session && one.account === account);

const logsOut = (which: number) =>
  change(
    "log out",
    which,
    ({ client }) => client.delete("/api/session"),
    ({ browser, session }, world, answer) => {
      expectStatus(204, answer);
      world.end([session], "signed_out");
      browser.session = null;
    },
  );

const endsOne = (which: number, named: number) =>
  change(
    `end session ${named}`,
    which,
    ({ client, account }, world) => {
      const sessions = world.sessions().filter((one) => one.account === account);
      return client.delete(`/api/sessions/${sessions[named % sessions.length]?.id}`);
    },
    (who, world, answer) => {
      const sessions = world.sessions().filter((one) => one.account === who.account);
      const one = sessions[named % sessions.length];
      if (one === who.session) return void expectStatus(409, answer);
      if (one && world.isLive(one)) expectStatus(204, answer);
      if (one && answer.status === 204) world.end([one], "signed_out_remotely");
      else expectStatus(404, answer);
    },
  );

const endsOthers = (which: number) =>
  change(
    "log out other devices",
    which,
    ({ client }) => client.delete("/api/sessions"),
    (who, world, answer) => {
      const live = othersOf(who, world).filter((one) => world.isLive(one));
      const ended = need(expectStatus(200, answer), "ended");
      if (ended !== live.length) throw new Error(`${ended} ended of ${live.length}.`);
      world.end(othersOf(who, world), "signed_out_remotely");
      world.endPending(who.account);
    },
  );

const changesPassword = (which: number) =>
  change(
    "change the password",
    which,
    ({ client, account }) => {
      const newPassword = account.password === PASSWORD ? OTHER_PASSWORD : PASSWORD;
      return client.put("/api/account/password", { currentPassword: account.password, newPassword });
    },
    (who, world, answer) => {
      expectStatus(204, answer);
      who.account.password = who.account.password === PASSWORD ? OTHER_PASSWORD : PASSWORD;
      world.end(othersOf(who, world), "password_changed");
      world.credentialsChanged(who.account);
      world.endPending(who.account);
    },
  );

const changesEmail = (which: number) => {
  const email = freshEmail("moved");
  return change(
    "change the address",
    which,
    ({ client, account }, world) => {
      const code = account.totp === null ? {} : { code: world.freshCode(account.totp) };
      return client.put("/api/account/email", { email, currentPassword: account.password, ...code });
    },
    async (who, world, answer) => {
      expectStatus(202, answer);
      const { client, account } = who;
      // Asking for it ends nothing.
      world.noteRenewal(who.browser);
      await world.check();
      const token = await world.server.outbox.tokenFor(email, "/confirm-email");
      expectStatus(204, await client.post("/api/email-confirmations", { token }));
      account.email = email;
      world.end(othersOf(who, world), "email_changed");
      world.credentialsChanged(account);
      world.endPending(account);
    },
  );
};

const turnsTwoFactor = (which: number) =>
  change(
    "turn two-factor authentication on, or off",
    which,
    async ({ client, account }, world) => {
      const currentPassword = account.password;
      if (account.totp !== null)
        return client.delete("/api/account/two-factor", {
          currentPassword,
          code: world.freshCode(account.totp),
        });
      return client.post("/api/account/two-factor", { currentPassword });
    },
    async ({ client, session, account }, world, answer) => {
      if (account.totp === null) {
        const secret = need(expectStatus(201, answer), "secret");
        const on = await client.put("/api/account/two-factor", { code: world.freshCode(secret) });
        if (!world.isLive(session)) return expectNobody(on);
        expectStatus(200, on);
        account.totp = secret;
        session.usedAt = world.now;
      } else {
        expectStatus(204, answer);
        account.totp = null;
      }
      world.credentialsChanged(account);
      world.endPending(account);
    },
  );

const resetsPassword = (of: number) =>
  step(async (world) => {
    const account = world.account(of);
    const token = await resetToken(world.server, account.email);
    const password = account.password === PASSWORD ? OTHER_PASSWORD : PASSWORD;
    expectStatus(204, await world.server.client().put("/api/password-resets", { token, password }));
    account.password = password;
    world.end(
      world.sessions().filter((one) => one.account === account),
      "password_reset",
    );
    world.credentialsChanged(account);
    world.endPending(account);
    return `reset the password of account ${of}`;
  });

const passes = (ms: number) =>
  step(async (world) => {
    world.pass(ms);
    return `${ms} ms pass`;
  });

/** To the very millisecond at which a session expires, or the one before. */
const passesToEnd = (which: number, by: "lifetime" | "idle", before: number) =>
  step(async (world) => {
    const session = world.signedIn(which)?.session;
    if (!session || !world.isLive(session)) return "no session's time is over";
    const end = by === "idle" ? session.usedAt + IDLE : session.createdAt + LIFETIME;
    // Used once on the way, or it would become idle earlier.
    if (by === "lifetime" && end - world.now > IDLE) {
      world.pass(IDLE - 1);
      await world.check();
    }
    world.pass(Math.max(0, end - before - world.now));
    return `the ${by} of ${session.id} is over${before > 0 ? " in a moment" : ""}`;
  });

const prunes = () =>
  step(async (world) => {
    await prune(world.server.latchkey.parts, world.now);
    return "prune";
  });

const anyBrowser = fc.nat({ max: BROWSER_COUNT - 1 });
const anyAccount = fc.constantFrom(0, 0, 1);
const anyOne = fc.nat({ max: 99 });
const short = fc.constantFrom(STEP, MINUTE, PENDING - 1, PENDING, HOUR, DAY);
const long = fc.constantFrom(3 * DAY, IDLE - 1, IDLE);
const anyChange = fc.constantFrom(
  endsOthers,
  changesPassword,
  changesEmail,
  logsOut,
  (_which: number, of: number) => resetsPassword(of),
  () => passes(PENDING - STEP - 1),
  () => passes(PENDING - STEP),
);
const ofTime = fc.constantFrom("lifetime" as const, "idle" as const);

/** How often each is chosen, relative to the others. */
const STEPS: [times: number, step: fc.Arbitrary<Step>][] = [
  [8, fc.tuple(anyBrowser, anyAccount).map(([at, of]) => signsIn(at, of, true))],
  [1, fc.tuple(anyBrowser, anyAccount).map(([at, of]) => signsIn(at, of, false))],
  [4, anyOne.map(givesCode)],
  [3, fc.tuple(anyBrowser, anyAccount, anyChange).map(([at, of, does]) => betweenFactors(at, of, does))],
  [1, anyOne.map(logsOut)],
  [2, fc.tuple(anyOne, anyOne).map(([which, named]) => endsOne(which, named))],
  [1, anyOne.map(endsOthers)],
  [1, anyOne.map(changesPassword)],
  [1, anyOne.map(changesEmail)],
  [1, anyOne.map(turnsTwoFactor)],
  [1, anyAccount.map(resetsPassword)],
  [2, short.map(passes)],
  [1, long.map(passes)],
  [
    2,
    fc.tuple(anyOne, ofTime, fc.nat({ max: 1 })).map(([which, by, before]) => passesToEnd(which, by, before)),
  ],
  [2, fc.constant(null).map(prunes)],
];

export const commands = fc.commands(
  STEPS.flatMap(([times, one]) => Array.from({ length: times }, () => one)),
  { maxCommands: 40, size: "max" },
);
