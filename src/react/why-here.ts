import { deviceInSentence, type Ending, relativeTime } from "../client/index.ts";
import { ADMINISTRATOR } from "./words.ts";

/** A reason; and, if somebody else may have caused it, a question to go with the offer of a reset. */
export type Why = { sentence: string; question: string | null };

const NOT_YOU = "Not you?";

/** Why the person is on the login page; null if no session ended. `days`: the lifetime, if whole days. */
export function whyHere(ending: Ending, now: number, days: number | null): Why | null {
  const by = deviceInSentence(ending.by ?? "another device");
  const when = ending.at ? `, ${relativeTime(ending.at, now).toLowerCase()}` : "";
  switch (ending.reason) {
    case "none":
      return null;
    case "signed_out":
      return because("You logged out.");
    case "signed_out_remotely":
      return by === ADMINISTRATOR
        ? askWhoeverRunsIt(`An administrator logged you out${when}.`)
        : because(`You were logged out from ${by}${when}.`, NOT_YOU);
    case "password_changed":
      return because(`Your password was changed from ${by}${when}.`, NOT_YOU);
    case "email_changed":
      // A reset would go to the new address, which may be the intruder's.
      return because(
        `Your email address was changed${when}. ${NOT_YOU} Open the email that we sent to your old address.`,
      );
    case "password_reset":
      return because(`Your password was reset${when}. Log in with the new one.`, NOT_YOU);
    case "replaced":
      return because(`Someone signed in to your account with ${by}, which replaced this session.`, NOT_YOU);
    case "expired":
      return because(`${lifetimeOver(days)} Log in again.`);
    case "idle":
      return because("You were logged out because this device was unused for a while. Log in again.");
    case "method_removed":
      return because(
        `The login method that this device used was disconnected${when}. Log in another way.`,
        NOT_YOU,
      );
    case "account_closed":
      return askWhoeverRunsIt(
        ending.by && by !== ADMINISTRATOR
          ? `Your account was deleted from ${by}${when}. ${NOT_YOU}`
          : "This account was closed.",
      );
    case "proof_lost":
      // The reader still has the old cookie: it's either the owner or the person with the copy.
      return because(
        `Someone signed in to your account with ${by}, where this session's cookie was used without the proof of its device. So this session ended.`,
        NOT_YOU,
      );
    case "device_proof_needed":
      return because("This browser couldn't prove that it is the one you logged in with. Log in again.");
    case "two_factor_needed":
      return because("This site asks for two-factor authentication.");
    case "reported":
      return because("This session was reported as not yours, and was ended.", "Was it yours after all?");
  }
}

/** Makes a reason, with or without a question. */
export function because(sentence: string, question: string | null = null): Why {
  return { sentence, question };
}

function askWhoeverRunsIt(sentence: string): Why {
  return because(`${sentence} Ask whoever runs this site.`);
}

function lifetimeOver(days: number | null): string {
  if (days === null) return "Your session reached its time limit.";
  return `Your session reached ${days === 1 ? "1 day" : `${days} days`}, its time limit.`;
}
