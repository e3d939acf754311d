import { isNeeded, methodsOf } from "../credentials/login-method-list.ts";
import { rememberRemoved, removeMethod } from "../credentials/method-origins.ts";
import { type NewPasskey, storePasskey, tidyName } from "../credentials/passkeys/stored-passkeys.ts";
import type { Write } from "../database/database.ts";
import * as messages from "../mail/messages.ts";
import { type Outcome, refuse } from "../refusals.ts";
import { deviceOf } from "../sessions/known-device.ts";
import { looksLikeId } from "../sessions/token.ts";
import { changeSecurity } from "./change-security.ts";
import { type Acting, missingProof } from "./proof.ts";

/**
 * Disconnects a login method, but never the last one that works (S15). The account is locked, so that two
 * requests at once can't remove the last two methods. The method's sessions end, except the current one.
 */
export async function disconnect(acting: Acting, methodId: string): Promise<Outcome> {
  const { parts, current, now } = acting;
  return changeSecurity(acting, "signed_in", async (write, account) => {
    const methods = await methodsOf(parts, write.query, account);
    const method = methods.find((one) => one.id === methodId);
    if (!method) return refuse("not_found", "There is no such login method.");
    if (isNeeded(methodId, methods)) {
      return refuse(
        "last_login_method",
        "This is the only way to log in that works for this account. Add another one first.",
      );
    }
    const unproved = await missingProof(acting, write.query, account, "both");
    if (unproved) return unproved;
    await rememberRemoved(write, account, method, now);
    await removeMethod(write, account.id, method);
    const { kind, name } = method;
    return {
      ends: {
        event: "method_removed",
        of: { accountId: account.id, methodId, exceptIds: [current.id] },
      },
      newCredentials: true,
      recorded: { kind: "method_removed", detail: { method: kind, name } },
      notice: (context) => messages.methodRemoved({ ...context, name }),
      answer: {},
    };
  });
}

export async function addPasskey(
  acting: Acting,
  made: { passkey: NewPasskey; name: string },
): Promise<Outcome<{ id: string }>> {
  const { current, now } = acting;
  return addMethod(acting, { kind: "passkey", name: tidyName(made.name) }, (write) =>
    storePasskey(write, current.accountId, made.passkey, made.name, now),
  );
}

/** Adds a login method, after a proof that it's the owner who asks; `store` may refuse it. */
export async function addMethod(
  acting: Acting,
  method: { kind: "passkey" | "oidc"; name: string },
  store: (write: Write) => Promise<Outcome<{ id: string }>>,
): Promise<Outcome<{ id: string }>> {
  const { current } = acting;
  const allowed = { given: { named: false }, level: "both" } as const;
  return changeSecurity(acting, allowed, async (write) => {
    const stored = await store(write);
    if (!stored.ok) return stored;
    const { id } = stored;
    await write.query
      .updateTable(method.kind === "passkey" ? "passkey" : "oidc_identity")
      .set({ added_by: current.id, added_with: current.methodId, added_from: deviceOf(write, current.id) })
      .where("id", "=", id)
      .execute();
    const { kind, name } = method;
    return {
      recorded: { kind: "method_added", detail: { method: kind, name } },
      notice: (context) => messages.methodAdded({ ...context, name }),
      answer: { id },
    };
  });
}

export async function renameMethod(acting: Acting, methodId: string, name: string): Promise<Outcome> {
  const { parts, current } = acting;
  const noSuch = refuse("not_found", "There is no such passkey.");
  if (!looksLikeId(methodId)) return noSuch;
  const renamed = await parts.database.write(({ query }) =>
    query
      .updateTable("passkey")
      .set({ name: tidyName(name) })
      .where("id", "=", methodId)
      .where("account_id", "=", current.accountId)
      .returning("id")
      .executeTakeFirst(),
  );
  return renamed ? { ok: true } : noSuch;
}
