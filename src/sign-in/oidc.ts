import { addMethod } from "../changes/login-methods.ts";
import { type Acting, type CurrentSession, renewProved, requireProof } from "../changes/proof.ts";
import { networkLimit } from "../credentials/limits/network-limit.ts";
import type { AccountParts, Visit } from "../credentials/parts.ts";
import { beginCeremony, takeCeremonyOrLate } from "../credentials/passkeys/ceremony.ts";
import { failureReason } from "../credentials/providers/failure-reason.ts";
import {
  type AuthorizationRequest,
  newAuthorizationRequest,
  type Provider,
  ProviderFailed,
  type ProviderIdentity,
} from "../credentials/providers/provider.ts";
import { type Outcome, type Refusal, type RefusalCode, refuse, sessionHasEnded } from "../refusals.ts";
import { countsAsBoth, findIdentity, newIdentity, signInWithProvider } from "./provider-sign-in.ts";
import type { SignInResult } from "./sign-in.ts";

/** What an authorization at a provider is for. */
export type Intent = "sign_in" | "connect" | "prove";

/** What is stored, sealed, until the provider redirects back. */
type Kept = AuthorizationRequest & {
  provider: string;
  intent: Intent;
  sessionId: string | null;
  next: string | null;
  touchPoints: number | null;
};

export type CallbackResult =
  | { intent: "sign_in"; next: string | null; visit: Visit; done: SignInResult }
  | { intent: "connect"; done: Outcome }
  | { intent: "prove"; done: Outcome };

/** Begins an authorization; returns where to send the browser. Connecting needs a recent proof first. */
export async function startAuthorization(
  { parts, clientInfo, now }: Visit,
  provider: Provider,
  of: {
    intent: Intent;
    current: CurrentSession | null;
    browser: string;
    next: string | null;
    /** The page's `navigator.maxTouchPoints`, if it was sent. */
    touchPoints: number | null;
  },
): Promise<Outcome<{ url: string }>> {
  const { intent, current, browser, next, touchPoints } = of;
  const account = current && { id: current.accountId };
  const tooMany = await parts.attempts.take(
    [await networkLimit(parts, "ceremony_network", clientInfo, account)],
    now,
  );
  if (tooMany) return tooMany;
  if (intent === "connect" && current) {
    const proof = await requireProof({ parts, current, now }, { named: false }, "both");
    if (!proof.ok) return proof;
  }
  const authorization = newAuthorizationRequest(intent === "prove");
  const kept: Kept = {
    ...authorization,
    provider: provider.settings.id,
    intent,
    sessionId: current?.id ?? null,
    next,
    touchPoints,
  };
  try {
    const url = await provider.authorizationUrl(authorization);
    const data = Buffer.from(parts.seal.close(JSON.stringify(kept), authorization.state)).toString("base64");
    const ceremony = { kind: "oidc", accountId: current?.accountId ?? null, data } as const;
    await beginCeremony(parts.database, { key: authorization.state, browser }, ceremony, now);
    return { ok: true, url: url.href };
  } catch (error) {
    return failed(parts, provider, error);
  }
}

/**
 * Handles the callback from a provider. It uses up the authorization, even if the answer is wrong or late.
 * Null if there is no such authorization: the state was replayed, has been pruned, or belongs to another
 * browser.
 */
export async function handleCallback(
  parts: AccountParts,
  provider: Provider,
  back: {
    answer: URL;
    browser: string | null;
    current: CurrentSession | null;
    visit: (touchPoints?: number) => Visit;
  },
  now: number,
): Promise<CallbackResult | null> {
  const state = back.answer.searchParams.get("state");
  if (state === null) return null;
  const taken = await takeCeremonyOrLate(parts.database, { key: state, browser: back.browser }, "oidc");
  if (!taken) return null;
  const kept: Kept = JSON.parse(parts.seal.open(Buffer.from(taken.data, "base64"), state));
  if (kept.provider !== provider.settings.id) return null;
  const { intent, next } = kept;
  const visit = back.visit(kept.touchPoints ?? undefined);
  const isLate = taken.expiresAt <= now;
  const identity = isLate ? refuse("link_expired") : await identify(parts, provider, back.answer, kept);
  if (!("subject" in identity)) {
    return intent === "sign_in" ? { intent, next, visit, done: identity } : { intent, done: identity };
  }
  if (intent === "sign_in")
    return { intent, next, visit, done: await signInWithProvider(visit, provider, identity) };
  const current = back.current?.id === kept.sessionId ? back.current : null;
  if (!current) return { intent, done: sessionHasEnded() };
  const acting = { parts, current, now };
  if (intent === "connect") return { intent, done: await connect(acting, provider, identity) };
  const known = await findIdentity(parts, identity);
  if (known?.account_id !== current.accountId) return { intent, done: refuse("provider_other_person") };
  const bothFactors = countsAsBoth(provider, identity);
  return { intent, done: await renewProved(acting, { bothFactors }) };
}

async function identify(
  parts: AccountParts,
  provider: Provider,
  answer: URL,
  authorization: AuthorizationRequest,
): Promise<ProviderIdentity | Refusal> {
  if (answer.searchParams.get("error") === "access_denied") return refuse("provider_cancelled");
  try {
    return await provider.identify(answer, authorization);
  } catch (error) {
    return failed(parts, provider, error);
  }
}

function failed(parts: AccountParts, provider: Provider, error: unknown): Refusal {
  if (!(error instanceof ProviderFailed)) throw error;
  const facts = { provider: provider.settings.id, cause: failureReason(error.cause) };
  parts.log.warn(facts, error.message);
  return refuse("provider_failed");
}

async function connect(acting: Acting, provider: Provider, identity: ProviderIdentity): Promise<Outcome> {
  const method = { kind: "oidc", name: provider.settings.name } as const;
  const store = newIdentity(provider, identity, acting.now);
  return addMethod(acting, method, (write) => store(write, acting.current.accountId));
}

/** Whether the page has a sentence for this refusal. */
export function isForPage(code: RefusalCode): boolean {
  return (
    code.startsWith("provider_") ||
    [
      "sign_up_closed",
      "account_suspended",
      "method_taken",
      "proof_needed",
      "signed_out",
      "too_many_attempts",
      "link_expired",
    ].includes(code)
  );
}
