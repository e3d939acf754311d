/** `latchkey/client`: Latchkey's API for browsers, typed, without dependencies. */
export type {
  Account,
  ActivityEvent,
  Confirmation,
  Ending,
  EndReason,
  LoginMethod,
  LoginMethods,
  SecondFactor,
  SecondFactorAsked,
  Session,
  SignedIn,
} from "./answers.ts";
export { type Client, type ClientOptions, type Credentials, createClient } from "./client.ts";
export { isReason, type RefusalFacts, Refused, Unreachable } from "./refused.ts";
export type { Reading } from "./send.ts";
export { absoluteTime, dayAndTimeOf, dayOf, relativeTime } from "./times.ts";
