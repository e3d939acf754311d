import type fc from "fast-check";
import type { Answer } from "../support/requests/answers.ts";
import {
  expectNobody,
  type ModelAccount,
  type ModelBrowser,
  type ModelSession,
  type World,
} from "./world.ts";

/** The model and the server in one object: what a step does to one, it expects of the other. */
export type Step = fc.AsyncCommand<object, World>;

/** `run` returns what it did, in words for a failure's report. */
export function step(run: (world: World) => Promise<string>): Step {
  let name = "not yet done";
  return {
    check: () => true,
    async run(_, world) {
      name = await run(world);
      for (const browser of world.browsers) world.noteRenewal(browser);
      await world.check();
    },
    toString: () => name,
  };
}

export type SignedIn = {
  browser: ModelBrowser;
  client: ModelBrowser["client"];
  session: ModelSession;
  account: ModelAccount;
};

/**
 * A step of someone who is signed in in a browser; if they no longer are, they are told so, and nothing
 * happens.
 */
export function change(
  name: string,
  which: number,
  ask: (who: SignedIn, world: World) => Promise<Answer>,
  then: (who: SignedIn, world: World, answer: Answer) => void | Promise<void>,
): Step {
  return step(async (world) => {
    const browser = world.signedIn(which);
    if (!browser) return `${name}: nobody is there`;
    const { client, session } = browser;
    const who = { browser, client, session, account: session.account };
    const told = `${name} in browser ${world.browsers.indexOf(browser)}`;
    if (!world.isLive(session)) {
      expectNobody(await client.delete("/api/sessions"));
      return `${told}, whose session is over`;
    }
    const answer = await ask(who, world);
    // While a code was awaited, the session itself may have expired.
    if (!world.isLive(session)) {
      expectNobody(answer);
      return `${told}, too late`;
    }
    session.usedAt = world.now;
    await then(who, world, answer);
    return told;
  });
}
