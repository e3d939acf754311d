import { sql } from "kysely";
import { DatabaseUnavailable } from "../../database/database.ts";
import { announcementsArrive, CHANNEL, listenTarget } from "../../database/postgres/listener.ts";
import type { HttpParts } from "../../http/call.ts";
import { CLOCK_NOT_READY, CLOCK_WARNS } from "../../http/clock-watch.ts";
import { sentenceOf } from "../terminal.ts";
import { type Finding, fail, messageOf, ok, warn } from "./finding.ts";

/** Does the database answer in time, agree on the clock, reach all nodes, and keep what it has committed? */
export async function lookAtDatabase(parts: HttpParts): Promise<Finding[]> {
  const { database, settings } = parts;
  try {
    await database.read.selectFrom("account").select("id").limit(1).execute();
    await database.write(({ query }) => query.deleteFrom("attempts").where("key", "=", "doctor").execute());
  } catch (error) {
    if (error instanceof DatabaseUnavailable) return [fail(sentenceOf(error))];
    return [fail(`The database can't be used: ${messageOf(error)}`)];
  }
  if (settings.database.engine === "sqlite")
    return [ok(`The database ${settings.database.file} can be read and written.`)];
  const ahead = await parts.clockAhead();
  const clock = Math.abs(ahead) < CLOCK_WARNS ? ok : Math.abs(ahead) < CLOCK_NOT_READY ? warn : fail;
  return [
    ok("PostgreSQL answers, and can be written."),
    clock(
      `The database's clock is ${Math.abs(ahead)} ms ${ahead < 0 ? "behind" : "ahead of"} this machine's.`,
    ),
    await lookAtAnnouncements(parts, settings.database.url),
    ...(await lookAtDurability(parts)),
  ];
}

/** Would an open page on this node be told at once of a change that another node makes? */
async function lookAtAnnouncements({ database, settings }: HttpParts, url: string): Promise<Finding> {
  const target = listenTarget(url, settings.listenUrl);
  const announce = (word: string) => sql`select pg_notify(${CHANNEL}, ${word})`.execute(database.read);
  try {
    return (await announcementsArrive(target.url, announce))
      ? ok(`Announcements of other nodes arrive (${target.setting}).`)
      : warn(
          `${target.setting}: announcements of other nodes don't arrive, so open pages hear of endings late. LATCHKEY_LISTEN_URL must be a direct connection to the database of DATABASE_URL, past any pooler.`,
        );
  } catch (error) {
    return warn(
      `${target.setting}: the connection for announcements can't be opened (${messageOf(error)}), so open pages hear of endings on other nodes late.`,
    );
  }
}

/** Would the end of a session, once confirmed to the client, survive a crash and a failover? */
async function lookAtDurability(parts: HttpParts): Promise<Finding[]> {
  const commit = await show(parts, "synchronous_commit");
  return [
    commit === "off" || commit === "local"
      ? fail(
          `synchronous_commit is ${commit}: a crash or a failover can bring ended sessions back. Set it to on.`,
        )
      : ok(`synchronous_commit is ${commit}.`),
    (await show(parts, "fsync")) === "on"
      ? ok("fsync is on.")
      : fail("fsync is off: a power cut can bring ended sessions back."),
    await lookAtStandbys(parts),
  ];
}

/** A user without the right to see standbys still gets a row for each, but with an empty state. */
async function lookAtStandbys(parts: HttpParts): Promise<Finding> {
  const names = await show(parts, "synchronous_standby_names");
  const { rows } = await sql<{
    state: string | null;
  }>`select sync_state as state from pg_stat_replication`.execute(parts.database.read);
  const behind = rows.filter(({ state }) => state !== "sync" && state !== "quorum");
  const harm = "a failover to one can bring ended sessions back";
  if (rows.length === 0) return ok("No standby server is connected.");
  if (names === "")
    return warn(
      `None of ${rows.length} standby servers is synchronous: ${harm}. Set synchronous_standby_names.`,
    );
  if (behind.some(({ state }) => state === null))
    return warn(
      `Whether ${rows.length} standby servers are synchronous (${names}) can't be seen by this user: grant it pg_read_all_stats.`,
    );
  if (behind.length > 0)
    return warn(`${behind.length} of ${rows.length} standby servers are not synchronous: ${harm}.`);
  return ok(`The standby servers are synchronous (${names}).`);
}

async function show({ database }: HttpParts, name: string): Promise<string> {
  const { rows } = await sql<{ value: string }>`select current_setting(${name}) as value`.execute(
    database.read,
  );
  return rows[0]?.value ?? "";
}
