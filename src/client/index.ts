/** `latchkey/client`: Latchkey's API for browsers, typed, without dependencies. */
export type {
  Account,
  ActivityEvent,
  Confirmation,
  EndReason,
  LoginMethod,
  LoginMethods,
  RefusalFacts,
  SecondFactorAsked,
  Session,
  SignedIn,
  SignedOut as Ending,
} from "../answers.ts";
export { deviceInSentence } from "../answers.ts";
export {
  type Client,
  type ClientOptions,
  type Credentials,
  createClient,
  type SecondFactor,
} from "./client.ts";
export { isReason, Refused, Unreachable } from "./refused.ts";
export type { Reading } from "./send.ts";
export { absoluteTime, dayAndTimeOf, dayOf, relativeTime, timeOf } from "./times.ts";
