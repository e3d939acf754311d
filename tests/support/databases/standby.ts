import { spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { type Postgres, queryAt, serve } from "./postgres.ts";

const NAME = "standby";

/**
 * Starts a standby of a PostgreSQL from a base backup, and makes the primary wait for it: a commit is
 * answered only once both have it.
 */
export async function startSynchronousStandby(
  primary: Postgres,
): Promise<Postgres & { promote(): Promise<void>; follow(names: string): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-standby-"));
  const data = join(folder, "data");
  await copyData(primary, data);
  await writeFile(join(data, "standby.signal"), "");
  const { owner, binaries } = primary.place;
  if (owner) spawnSync("chown", ["-R", `${owner.uid}:${owner.gid}`, folder]);
  spawnSync("chmod", ["700", data]);
  const { password, port } = new URL(primary.url);
  const line = `host=127.0.0.1 port=${port} user=postgres password=${password} application_name=${NAME}`;
  const standby = await serve({ binaries, folder, data, owner }, password, [`primary_conninfo=${line}`]);
  async function follow(names: string): Promise<void> {
    await queryAt(primary.url, `alter system set synchronous_standby_names = '${names}'`);
    await queryAt(primary.url, "select pg_reload_conf()");
    const state = names === "" ? "async" : "sync";
    while (
      (await queryAt(primary.url, `select from pg_stat_replication where sync_state = '${state}'`)).length ===
      0
    );
  }
  await follow(NAME);
  return {
    ...standby,
    follow,
    async promote() {
      await queryAt(standby.url, "select pg_promote(true, 60)");
    },
  };
}

async function copyData(primary: Postgres, to: string): Promise<void> {
  const client = new pg.Client({ connectionString: primary.url });
  await client.connect();
  try {
    await client.query("select pg_backup_start('standby', true)");
    await mkdir(to, { recursive: true });
    const skipped = /\/(postmaster\.(pid|opts)|pgsql_tmp[^/]*)$/;
    await cp(primary.place.data, to, { recursive: true, filter: (path) => !skipped.test(path) });
    const { rows } = await client.query<{ labelfile: string }>("select labelfile from pg_backup_stop(false)");
    await writeFile(join(to, "backup_label"), rows[0]?.labelfile ?? "");
  } catch (error) {
    await rm(to, { recursive: true, force: true });
    throw error;
  } finally {
    await client.end();
  }
}
