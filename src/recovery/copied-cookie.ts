import type { AccountParts } from "../credentials/parts.ts";
import { writeNotice } from "../credentials/send-emails.ts";
import type { FoundSession } from "../database/database.ts";
import { lockAccount } from "../database/lock.ts";
import { record } from "../history/activity.ts";
import * as messages from "../mail/messages.ts";
import { DAY } from "../sessions/expiry.ts";

/** How often at most the owner is told about copies of one session's cookie, in ms. */
const TOLD_EVERY = DAY;

export type CopyNotices = ReturnType<typeof createCopyNotices>;

/**
 * Tells an owner that a copy of a bound session's cookie was used and refused. However often that happens,
 * each session causes at most one event and one email a day, and one write at a time. The session itself
 * stays.
 */
export function createCopyNotices() {
  const underWay = new Set<string>();
  return {
    /** `from` is the label of the device that used the copy. Runs in the background. */
    tell(parts: AccountParts, session: FoundSession, from: string, now: number): void {
      if (!isDue(session.copyToldAt, now) || underWay.has(session.id)) return;
      underWay.add(session.id);
      parts.inBackground(() =>
        tellOnce(parts, session, from, now).finally(() => underWay.delete(session.id)),
      );
    },
  };
}

function isDue(toldAt: number | null, now: number): boolean {
  return toldAt === null || now - toldAt >= TOLD_EVERY;
}

async function tellOnce(parts: AccountParts, session: FoundSession, from: string, now: number) {
  const { id, accountId, label } = session;
  await parts.database.write(async (write) => {
    const account = await lockAccount(write, accountId);
    if (!account) return;
    const told = await write.query
      .updateTable("session")
      .set({ copy_told_at: now })
      .where("id", "=", id)
      .where(({ or, eb }) => or([eb("copy_told_at", "is", null), eb("copy_told_at", "<=", now - TOLD_EVERY)]))
      .returning("id")
      .executeTakeFirst();
    if (!told) return;
    await record(write, { accountId, kind: "cookie_copy_used", at: now, label, detail: { from } });
    write.announce(accountId);
    await writeNotice(parts, write, account, { sessionId: id, device: from, now }, (context) =>
      messages.cookieCopyUsed({ ...context, session: label }),
    );
  });
}
