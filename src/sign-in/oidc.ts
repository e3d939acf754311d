import { addMethod } from "../changes/login-methods.ts";
import type { CurrentSession } from "../changes/proof.ts";
import { renewProved, requireProof } from "../changes/proof.ts";
import { type Asking, networkLimit } from "../credentials/limits/network-limit.ts";
import type { AccountParts } from "../credentials/parts.ts";
import { beginCeremony, takeCeremony } from "../credentials/passkeys/ceremony.ts";
import type { AuthorizationRequest, Provider, ProviderIdentity } from "../credentials/provider.ts";
import { newAuthorizationRequest, ProviderFailed } from "../credentials/provider.ts";
import type { Outcome, Refusal, RefusalCode } from "../refusals.ts";
import { refuse } from "../refusals.ts";
import type { ClientInfo } from "../sessions/start.ts";
import { countsAsBoth, findIdentity, newIdentity, signInWithProvider } from "./provider-sign-in.ts";
import type { SignInResult } from "./sign-in.ts";

/** What a round to a provider is for. */
export type Intent = "sign_in" | "connect" | "prove";

/** What is kept of a round between its start and the way back, sealed. */
type Kept = AuthorizationRequest & {
  provider: string;
  intent: Intent;
  sessionId: string | null;
  next: string | null;
  touchPoints: number | null;
};

export type CallbackResult =
  | { intent: "sign_in"; next: string | null; clientInfo: ClientInfo; done: SignInResult }
  | { intent: "connect"; done: Outcome }
  | { intent: "prove"; done: Outcome };

/** Begins a round to a provider: where to send the browser. Connecting wants a fresh proof first. */
export async function startAuthorization(
  parts: AccountParts,
  provider: Provider,
  of: {
    intent: Intent;
    current: CurrentSession | null;
    browser: string;
    next: string | null;
    /** The page's `navigator.maxTouchPoints`, where it told. */
    touchPoints: number | null;
    asking: Asking;
  },
  now: number,
): Promise<Outcome<{ url: string }>> {
  const { intent, current, browser, next, touchPoints, asking } = of;
  const account = current && { id: current.accountId };
  const tooMany = await parts.attempts.take(
    [await networkLimit(parts, "ceremony_network", asking, account)],
    now,
  );
  if (tooMany) return tooMany;
  if (intent === "connect" && current) {
    const proof = await requireProof(parts, current, { named: false }, "both", now);
    if (!proof.ok) return proof;
  }
  const round = newAuthorizationRequest(intent === "prove");
  const kept: Kept = {
    ...round,
    provider: provider.settings.id,
    intent,
    sessionId: current?.id ?? null,
    next,
    touchPoints,
  };
  try {
    const url = await provider.authorizationUrl(round);
    const data = Buffer.from(parts.seal.close(JSON.stringify(kept), round.state)).toString("base64");
    const ceremony = { kind: "oidc", accountId: current?.accountId ?? null, data } as const;
    await parts.database.write((write) => beginCeremony(write, { key: round.state, browser }, ceremony, now));
    return { ok: true, url: url.href };
  } catch (error) {
    return failed(parts, provider, error);
  }
}

/**
 * The way back from a provider. The round is used up, whatever the answer is worth; null where there is
 * none: a replayed, stale or foreign state.
 */
export async function handleCallback(
  parts: AccountParts,
  provider: Provider,
  back: {
    answer: URL;
    browser: string | null;
    current: CurrentSession | null;
    clientInfo: (touchPoints?: number) => ClientInfo;
  },
  now: number,
): Promise<CallbackResult | null> {
  const state = back.answer.searchParams.get("state");
  if (state === null) return null;
  const taken = await parts.database.write((write) =>
    takeCeremony(write, { key: state, browser: back.browser }, "oidc", now),
  );
  if (!taken) return null;
  const kept: Kept = JSON.parse(parts.seal.open(Buffer.from(taken.data, "base64"), state));
  if (kept.provider !== provider.settings.id) return null;
  const { intent, next } = kept;
  const clientInfo = back.clientInfo(kept.touchPoints ?? undefined);
  const identity = await identify(parts, provider, back.answer, kept);
  if (!("subject" in identity)) {
    return intent === "sign_in" ? { intent, next, clientInfo, done: identity } : { intent, done: identity };
  }
  if (intent === "sign_in")
    return {
      intent,
      next,
      clientInfo,
      done: await signInWithProvider(parts, provider, identity, clientInfo, now),
    };
  const current = back.current?.id === kept.sessionId ? back.current : null;
  if (!current) return { intent, done: refuse("signed_out", "This session has ended.", { reason: "none" }) };
  if (intent === "connect") return { intent, done: await connect(parts, provider, identity, current, now) };
  const known = await findIdentity(parts, identity);
  if (known?.account_id !== current.accountId) return { intent, done: refuse("provider_other_person") };
  const bothFactors = countsAsBoth(provider, identity);
  return { intent, done: await renewProved(parts, current, { bothFactors }, now) };
}

async function identify(
  parts: AccountParts,
  provider: Provider,
  answer: URL,
  round: AuthorizationRequest,
): Promise<ProviderIdentity | Refusal> {
  if (answer.searchParams.get("error") === "access_denied") return refuse("provider_cancelled");
  try {
    return await provider.identify(answer, round);
  } catch (error) {
    return failed(parts, provider, error);
  }
}

function failed(parts: AccountParts, provider: Provider, error: unknown): Refusal {
  if (!(error instanceof ProviderFailed)) throw error;
  const cause = error.cause instanceof Error ? error.cause.message : undefined;
  parts.log.warn({ provider: provider.settings.id, cause }, error.message);
  return refuse("provider_failed");
}

async function connect(
  parts: AccountParts,
  provider: Provider,
  identity: ProviderIdentity,
  current: CurrentSession,
  now: number,
): Promise<Outcome> {
  const method = { kind: "oidc", name: provider.settings.name } as const;
  const store = newIdentity(provider, identity, now);
  return addMethod(parts, current, method, now, (write) => store(write, current.accountId));
}

/** The refusals that a page can say a sentence about. */
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
