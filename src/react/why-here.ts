import { type Ending, relativeTime } from "../client/index.ts";

/** A reason, and the question that goes with it where it may not have been the person: then a reset is offered. */
export type Why = { sentence: string; question: string | null };

const NOT_YOU = "Not you?";
/** What the server calls the command line. */
const ADMINISTRATOR = "an administrator";

/** Why you are on the login page; null where nothing ended. `days`: how long a session lasts, where that is whole days. */
export function whyHere(ending: Ending, now: number, days: number | null): Why | null {
  const by = ending.by ?? "another device";
  const when = ending.at ? `, ${relativeTime(ending.at, now).toLowerCase()}` : "";
  switch (ending.reason) {
    case "none":
      return null;
    case "signed_out":
      return { sentence: "You logged out.", question: null };
    case "signed_out_remotely":
      return by === ADMINISTRATOR
        ? askWhoeverRunsIt(`An administrator logged you out${when}.`)
        : { sentence: `You were logged out from ${by}${when}.`, question: NOT_YOU };
    case "password_changed":
      return { sentence: `Your password was changed from ${by}${when}.`, question: NOT_YOU };
    case "email_changed":
      // A reset would go to the new address, which may be the intruder's.
      return {
        sentence: `Your email address was changed${when}. ${NOT_YOU} Open the email that we sent to your old address.`,
        question: null,
      };
    case "password_reset":
      return { sentence: `Your password was reset${when}. Log in with the new one.`, question: NOT_YOU };
    case "replaced":
      return {
        sentence: `Someone signed in to your account with ${by}, which replaced this session.`,
        question: NOT_YOU,
      };
    case "expired":
      return { sentence: `${lifetimeOver(days)} Log in again.`, question: null };
    case "idle":
      return {
        sentence: "You were logged out because this device was unused for a while. Log in again.",
        question: null,
      };
    case "method_removed":
      return {
        sentence: `The login method that this device used was disconnected${when}. Log in another way.`,
        question: NOT_YOU,
      };
    case "account_closed":
      return askWhoeverRunsIt("This account was closed.");
    case "proof_lost":
      return {
        sentence: "This browser could no longer prove itself, so its old session ended with your new one.",
        question: null,
      };
    case "device_proof_needed":
      return {
        sentence: "This browser couldn't prove that it is the one you logged in with. Log in again.",
        question: null,
      };
    case "two_factor_needed":
      return { sentence: "This site asks for two-factor authentication.", question: null };
    case "reported":
      return {
        sentence: "This session was reported as not yours, and was ended.",
        question: "Was it yours after all?",
      };
  }
}

function askWhoeverRunsIt(sentence: string): Why {
  return { sentence: `${sentence} Ask whoever runs this site.`, question: null };
}

function lifetimeOver(days: number | null): string {
  if (days === null) return "Your session reached its time limit.";
  return `Your session reached ${days === 1 ? "1 day" : `${days} days`}, its time limit.`;
}
