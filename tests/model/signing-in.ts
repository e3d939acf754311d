import { need } from "../support/requests/answers.ts";
import { MINUTE } from "../support/requests/clock.ts";
import { expectStatus, WRONG_PASSWORD } from "../support/requests/people.ts";
import { type Step, step } from "./step.ts";
import { BROWSER_COUNT, type ModelBrowser, type World } from "./world.ts";

/** How long a second factor may take. */
export const PENDING = 10 * MINUTE;

export const signsIn = (at: number, of: number, isRight: boolean) =>
  step(async (world) => {
    const told = `sign in to account ${of} in browser ${at}${isRight ? "" : " with a wrong password"}`;
    const browser = world.browser(at);
    const account = world.account(of);
    const password = isRight ? account.password : WRONG_PASSWORD;
    const answer = await browser.client.post("/api/session", { email: account.email, password });
    if (!isRight) {
      expectStatus(401, answer);
    } else if (account.totp === null) {
      world.begin(browser, account, need(expectStatus(201, answer), "session").id);
    } else {
      expectStatus(202, answer);
      browser.pending = { account, version: account.version, until: world.now + PENDING, isOver: false };
    }
    return told;
  });

export const givesCode = (which: number) =>
  step(async (world) => {
    const pending = world.browsers.filter((one) => one.pending);
    return giveCode(
      world,
      pending[which % Math.max(1, pending.length)] ?? world.browser(which % BROWSER_COUNT),
    );
  });

async function giveCode(world: World, browser: ModelBrowser): Promise<string> {
  const told = `give the code in browser ${world.browsers.indexOf(browser)}`;
  const asked = browser.pending;
  const secret = asked?.account.totp;
  const code = secret ? world.freshCode(secret) : "000000";
  const answer = await browser.client.post("/api/session/two-factor", { code });
  const isGood =
    secret && !asked.isOver && asked.version === asked.account.version && world.now < asked.until;
  if (isGood) world.begin(browser, asked.account, need(expectStatus(201, answer), "session").id);
  else expectStatus(401, answer);
  return `${told}, which is ${isGood ? "asked for" : "not asked for"}`;
}

/** Between the password and the code of a sign-in, someone with the same account does something. */
export const betweenFactors = (at: number, of: number, does: (which: number, of: number) => Step) =>
  step(async (world) => {
    const began = signsIn(at, of, true);
    await began.run({}, world);
    const live = world.browsers.filter(({ session }) => session && world.isLive(session));
    const which = live.findIndex(({ session }) => session?.account === world.account(of));
    const between = does(Math.max(0, which), of);
    await between.run({}, world);
    return [began, between, await giveCode(world, world.browser(at))].join(", then ");
  });
