import type { MethodOrigin } from "../credentials/method-origins.ts";
import { NO_PASSWORD } from "../credentials/ownership.ts";
import type { Write } from "../database/database.ts";
import { record } from "../history/activity.ts";
import { device } from "../history/actor.ts";
import { endBecauseOf } from "../sessions/endings.ts";

/** A session that its owner says is someone else's, and its browser; null for the email about a reset. */
export type Reported = { session_id: string | null; device_hash: Uint8Array | null; created_at: number };

/** Methods that were added there, or by the very reset that is reported; those that were added with one of them, and so on. */
export function methodsFrom(methods: readonly MethodOrigin[], reported: readonly Reported[]): MethodOrigin[] {
  const gone = new Set<MethodOrigin>();
  const isGone = (method: MethodOrigin) => {
    const parent = addedWith(method, methods);
    return reported.some((one) => isReported(method, one)) || (parent !== undefined && gone.has(parent));
  };
  for (let before = -1; before < gone.size; ) {
    before = gone.size;
    for (const method of methods) if (isGone(method)) gone.add(method);
  }
  return [...gone];
}

function isReported(method: MethodOrigin, reported: Reported): boolean {
  const { id, created_at: createdAt, added_by: by, added_from: from } = method;
  const { session_id: sessionId, device_hash: deviceHash } = reported;
  // An email about a reset is about no session: the password has its time.
  if (by === null) return id === "password" && sessionId === null && createdAt === reported.created_at;
  return by === sessionId || (from !== null && deviceHash !== null && Buffer.compare(from, deviceHash) === 0);
}

/** The method whose session added this one: of the passwords, which share an id, the one that there was then. */
function addedWith(
  { added_with, created_at }: MethodOrigin,
  methods: readonly MethodOrigin[],
): MethodOrigin | undefined {
  return methods
    .filter(({ id, created_at: since }) => id === added_with && (id !== "password" || since <= created_at))
    .sort((one, other) => one.created_at - other.created_at)
    .at(-1);
}

/** Of a method that the account no longer has, only what it opened is left. */
export async function removeReported(
  write: Write,
  accountId: string,
  method: MethodOrigin,
  { label, now: at }: { label: string; now: number },
): Promise<void> {
  const { id: methodId, kind, name } = method;
  if (kind === "password")
    await write.query.updateTable("account").set(NO_PASSWORD).where("id", "=", accountId).execute();
  if (kind === "passkey") await write.query.deleteFrom("passkey").where("id", "=", methodId).execute();
  if (kind === "oidc") await write.query.deleteFrom("oidc_identity").where("id", "=", methodId).execute();
  const opened = { accountId, methodId, exceptIds: await openedSince(write, accountId, method) };
  await endBecauseOf(write, "method_removed", opened, { by: device(label), at });
  if (kind === "removed") return;
  const detail = { method: kind, name };
  await record(write, { accountId, kind: "method_removed", at, label, detail });
}

/** Sessions that a later password opened, which goes by the same id. */
async function openedSince(
  { query }: Write,
  accountId: string,
  { id, removed_at: removedAt }: MethodOrigin,
): Promise<string[]> {
  if (removedAt === null) return [];
  const rows = await query
    .selectFrom("session")
    .select("id")
    .where("account_id", "=", accountId)
    .where("method_id", "=", id)
    .where("created_at", ">=", removedAt)
    .execute();
  return rows.map((row) => row.id);
}
