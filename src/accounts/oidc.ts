import type { FoundSession, Write } from "../database/database.ts";
import type { Outcome, Refusal, RefusalCode } from "../refusals.ts";
import { refuse } from "../refusals.ts";
import type { Account } from "../sessions/hold.ts";
import type { Visitor } from "../sessions/start.ts";
import { makeId } from "../sessions/token.ts";
import { findAccountByEmail } from "./account.ts";
import { beginCeremony, takeCeremony } from "./ceremony.ts";
import { readEmailAddress } from "./email-address.ts";
import { addMethod } from "./login-methods.ts";
import type { AccountParts } from "./parts.ts";
import type { Acting } from "./proof.ts";
import { isProved, proofMethods, renewProved } from "./proof.ts";
import type { Provider, ProviderIdentity, Round } from "./provider.ts";
import { newRound, ProviderFailed } from "./provider.ts";
import type { SignedIn } from "./sign-in.ts";
import { passFirstFactor } from "./sign-in.ts";
import { signUpWithProvider } from "./sign-up.ts";

/** What a round to a provider is for. */
export type Intent = "sign_in" | "connect" | "prove";

/** What is kept of a round between its start and the way back, sealed. */
type Kept = Round & {
  provider: string;
  intent: Intent;
  sessionId: string | null;
  next: string | null;
  touchPoints: number | null;
};

export type CameBack =
  | { intent: "sign_in"; next: string | null; visitor: Visitor; done: SignedIn }
  | { intent: "connect"; done: Outcome }
  | { intent: "prove"; done: Outcome<{ token: string }> };

/** Ways to prove oneself at a provider (RFC 8176), by what they are: a code alone is one factor as well. */
const KINDS_OF_PROOF = [
  ["pwd", "pin", "kba"],
  ["otp", "hwk", "swk", "sc", "sms", "tel"],
  ["face", "fpt", "iris", "retina", "vbm"],
];

/** Begins a round to a provider: where to send the browser. Connecting wants a fresh proof first. */
export async function startRound(
  parts: AccountParts,
  provider: Provider,
  of: {
    intent: Intent;
    acting: Acting | null;
    browser: string;
    next: string | null;
    /** The page's `navigator.maxTouchPoints`, where it told. */
    touchPoints: number | null;
    network: string | null;
  },
  now: number,
): Promise<Outcome<{ url: string }>> {
  const { intent, acting, browser, next, touchPoints, network } = of;
  const tooMany = await parts.attempts.take([{ kind: "ceremony_network", of: network }], now);
  if (tooMany) return tooMany;
  if (intent === "connect" && acting && !isProved(acting, now)) return askForProof(parts, acting);
  const round = newRound(intent === "prove");
  const kept: Kept = {
    ...round,
    provider: provider.settings.id,
    intent,
    sessionId: acting?.id ?? null,
    next,
    touchPoints,
  };
  try {
    const url = await provider.authorizationUrl(round);
    const data = Buffer.from(parts.seal.close(JSON.stringify(kept), round.state)).toString("base64");
    const ceremony = { kind: "oidc", accountId: acting?.accountId ?? null, data } as const;
    await parts.database.write((write) => beginCeremony(write, { key: round.state, browser }, ceremony, now));
    return { ok: true, url: url.href };
  } catch (error) {
    return failed(parts, provider, error);
  }
}

async function askForProof(parts: AccountParts, acting: Acting): Promise<Refusal> {
  const { read } = parts.database;
  const account = await read
    .selectFrom("account")
    .selectAll()
    .where("id", "=", acting.accountId)
    .executeTakeFirst();
  const methods = account ? await proofMethods(parts, read, account) : [];
  return refuse("proof_needed", "Confirm that it is you, then try again.", { methods });
}

/**
 * The way back from a provider. The round is used up, whatever the answer is worth; null where there is
 * none: a replayed, stale or foreign state.
 */
export async function comeBack(
  parts: AccountParts,
  provider: Provider,
  back: {
    answer: URL;
    browser: string | null;
    acting: FoundSession | null;
    visitor: (touchPoints?: number) => Visitor;
  },
  now: number,
): Promise<CameBack | null> {
  const state = back.answer.searchParams.get("state");
  if (state === null) return null;
  const taken = await parts.database.write((write) =>
    takeCeremony(write, { key: state, browser: back.browser }, "oidc", now),
  );
  if (!taken) return null;
  const kept: Kept = JSON.parse(parts.seal.open(Buffer.from(taken.data, "base64"), state));
  if (kept.provider !== provider.settings.id) return null;
  const { intent, next } = kept;
  const visitor = back.visitor(kept.touchPoints ?? undefined);
  const identity = await identify(parts, provider, back.answer, kept);
  if (!("subject" in identity)) {
    return intent === "sign_in" ? { intent, next, visitor, done: identity } : { intent, done: identity };
  }
  if (intent === "sign_in")
    return { intent, next, visitor, done: await signInWithProvider(parts, provider, identity, visitor, now) };
  const acting = back.acting?.id === kept.sessionId ? back.acting : null;
  if (!acting) return { intent, done: refuse("signed_out", "This session has ended.", { reason: "none" }) };
  if (intent === "connect") return { intent, done: await connect(parts, provider, identity, acting, now) };
  const known = await findIdentity(parts, identity);
  if (known?.account_id !== acting.accountId) return { intent, done: refuse("provider_other_person") };
  return { intent, done: await renewProved(parts, acting, now) };
}

async function identify(
  parts: AccountParts,
  provider: Provider,
  answer: URL,
  round: Round,
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

async function findIdentity(parts: AccountParts, { issuer, subject }: ProviderIdentity) {
  return parts.database.read
    .selectFrom("oidc_identity")
    .select(["id", "account_id"])
    .where("issuer", "=", issuer)
    .where("subject", "=", subject)
    .executeTakeFirst();
}

async function signInWithProvider(
  parts: AccountParts,
  provider: Provider,
  identity: ProviderIdentity,
  visitor: Visitor,
  now: number,
): Promise<SignedIn> {
  const known = await findIdentity(parts, identity);
  if (!known) return signUpOrExplain(parts, provider, identity, visitor, now);
  const account = await readAccount(parts, known.account_id);
  if (!account) return refuse("provider_failed");
  const bothFactors = provider.settings.trustAmr && provesBothFactors(identity.amr);
  const sign = { signedInWith: "oidc", methodId: known.id, bothFactors } as const;
  const done = await passFirstFactor(parts, account, sign, visitor, now, async ({ query }) => {
    const used = query.updateTable("oidc_identity").set({ last_used_at: now }).where("id", "=", known.id);
    // It may have been disconnected since it was looked up.
    return (await used.returning("id").executeTakeFirst()) !== undefined;
  });
  return done === "changed_meanwhile" ? refuse("provider_failed") : done;
}

function provesBothFactors(amr: string[]): boolean {
  const kinds = KINDS_OF_PROOF.filter((kind) => kind.some((one) => amr.includes(one)));
  return amr.includes("mfa") || kinds.length > 1;
}

/**
 * Nobody here is known by this subject. The email never decides who someone is: where it has an account,
 * its owner logs in and connects the provider; where it has none, this is a sign-up.
 */
async function signUpOrExplain(
  parts: AccountParts,
  provider: Provider,
  identity: ProviderIdentity,
  visitor: Visitor,
  now: number,
): Promise<SignedIn> {
  const address = identity.email === null ? null : readEmailAddress(identity.email);
  if (!address) return refuse("provider_no_email");
  const { emailVerified: verified } = identity;
  // Before the look: else anyone who can write any address at a provider could ask which ones are known here.
  if (parts.settings.signUp !== "open" && !verified) return refuse("provider_no_email");
  if (await findAccountByEmail(parts.database, address.key)) return refuse("provider_account_exists");
  const store = newIdentity(provider, identity, now);
  const done = await signUpWithProvider(parts, { address, verified, store }, visitor, now);
  if (!done.ok) return done.code === "email_taken" ? refuse("provider_account_exists") : done;
  return done.started === null ? refuse("provider_failed") : { ok: true, started: done.started };
}

async function connect(
  parts: AccountParts,
  provider: Provider,
  identity: ProviderIdentity,
  acting: Acting,
  now: number,
): Promise<Outcome> {
  const method = { kind: "oidc", name: provider.settings.name } as const;
  const store = newIdentity(provider, identity, now);
  return addMethod(parts, acting, method, now, (write) => store(write, acting.accountId));
}

function newIdentity(provider: Provider, { issuer, subject }: ProviderIdentity, now: number) {
  return async (write: Write, accountId: string): Promise<Outcome<{ id: string }>> => {
    const row = {
      id: makeId(),
      account_id: accountId,
      provider: provider.settings.id,
      issuer,
      subject,
      created_at: now,
      last_used_at: null,
      added_by: null,
      added_from: null,
      added_with: null,
    };
    const stored = await write.query
      .insertInto("oidc_identity")
      .values(row)
      .onConflict((conflict) => conflict.columns(["issuer", "subject"]).doNothing())
      .returning("id")
      .executeTakeFirst();
    return stored ? { ok: true, id: stored.id } : refuse("method_taken");
  };
}

async function readAccount(parts: AccountParts, id: string): Promise<Account | undefined> {
  return parts.database.read.selectFrom("account").selectAll().where("id", "=", id).executeTakeFirst();
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
