import { Unreachable } from "../../client/index.ts";
import { type Action, useAction } from "../parts/form.tsx";
import { inWords, type Problem, SENTENCES } from "../words.ts";

const SITE = "latchkey:site";

/** Stores the name of the site to which the page goes, for the message afterwards. */
export function leaveFor(site: string): void {
  sessionStorage.setItem(SITE, site);
}

/** Returns the name of the site from which the page comes back, and forgets it. */
export function takeSite(): string | null {
  const site = sessionStorage.getItem(SITE);
  sessionStorage.removeItem(SITE);
  return site;
}

/** The message for a failed login or connection at another site, by the code in the URL; null if unknown. */
export function authorizationFailure(code: string | null, site: string | null): string | null {
  if (code === null) return null;
  const name = site ?? "the other site";
  // Anybody can put a code into a link, so it may be `constructor`.
  const ours = Object.hasOwn(SITE_SENTENCES, code) ? SITE_SENTENCES[code]?.(name) : undefined;
  const sentence = ours ?? SENTENCES[code]?.sentence ?? null;
  return sentence === null ? null : sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

const SITE_SENTENCES: Record<string, (site: string) => string> = {
  provider_failed: (site) => `${site} gave no usable answer. Try again, or use another way.`,
  provider_other_person: (site) =>
    `That is a different account at ${site} from the one connected here. Nothing was changed. Choose the right one there, then try again.`,
  provider_cancelled: (site) => `You cancelled at ${site}. Try again, or use another way.`,
  provider_no_email: (site) =>
    `${site} shared no confirmed email address. Create an account with an email and a password instead.`,
  provider_account_exists: (site) =>
    `The address that ${site} gave already has an account. Log in to it, or reset its password, then connect ${site} under Login methods.`,
  method_taken: (site) =>
    `That account at ${site} is already connected to another account here. Choose a different one there, then try again.`,
  link_expired: (site) => `That took too long. Choose ${site} again.`,
};

/** Goes to another site, at the URL that the server returns. */
export function useGoToSite(site: string, findUrl: () => Promise<string>): Action<[]> {
  return useAction(
    async () => {
      const url = await findUrl();
      leaveFor(site);
      location.assign(url);
    },
    (error) => startProblem(error, site),
  );
}

/** If Latchkey can't start the authorization, the other site is down, not the person's connection. */
function startProblem(error: unknown, site: string): Problem {
  if (error instanceof Unreachable && error.status !== null)
    return { sentence: `${site} doesn't answer. Try again in a minute.` };
  return inWords(error);
}
