import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { startPostgres } from "../tests/support/databases/postgres.ts";
import { type Load, type Measured, makeLoad } from "./load.ts";
import { plant, plantedCookie } from "./plant.ts";
import { type Bench, type Options, type Row, summary } from "./results.ts";
import { inFolder, type Server, startServer } from "./server.ts";

const SESSIONS = 1_000;
const LATCHKEY = "in-app-server.ts";

/** Each on its own database, in the app that its own documentation shows. */
const CONTENDERS = [
  { name: "Latchkey, Hono, SQLite", script: LATCHKEY, engine: "sqlite" },
  { name: "better-auth, Hono, SQLite", script: "peers/better-auth.mjs", engine: "sqlite" },
  { name: "express-session, Express, SQLite", script: "peers/express-session.mjs", engine: "sqlite" },
  { name: "Latchkey, Hono, PostgreSQL", script: LATCHKEY, engine: "postgres" },
  { name: "better-auth, Hono, PostgreSQL", script: "peers/better-auth.mjs", engine: "postgres" },
  { name: "express-session, Express, PostgreSQL", script: "peers/express-session.mjs", engine: "postgres" },
  { name: "Auth.js, Express, PostgreSQL", script: "peers/auth-js.mjs", engine: "postgres" },
] as const;

export const peers: Bench = {
  about: "the same route behind the session check of alternatives (installs them in bench/peers)",
  rounds: 6,
  async run(options) {
    install(options);
    const postgres = await startPostgres();
    try {
      return await inFolder((folder) => measure(options, folder, postgres.url));
    } finally {
      await postgres.stop();
    }
  },
};

/** The bench's own packages, which aren't among the project's dependencies. */
function install({ progress }: Options): void {
  const folder = join(import.meta.dirname, "peers");
  const wanted = readFileSync(join(folder, "package-lock.json"), "utf8");
  const stamp = join(folder, "node_modules", ".latchkey-bench");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  progress("installing the peers in bench/peers");
  // npm passes its settings for this project on to the scripts that it runs.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
  execFileSync("npm", ["ci", "--loglevel=error"], { cwd: folder, env, stdio: ["ignore", 2, 2] });
  writeFileSync(stamp, wanted);
}

type Running = { name: string; server: Server; cookies: string };

/**
 * All are started first; then each is loaded in turn, its open route and its guarded one. The first round
 * warms up.
 */
async function measure({ rounds, progress }: Options, folder: string, url: string): Promise<Row[]> {
  const load = await makeLoad(folder);
  const running: Running[] = [];
  try {
    for (const [index, { name, script, engine }] of CONTENDERS.entries()) {
      progress(`starting ${name}`);
      const database =
        engine === "sqlite"
          ? `sqlite:${join(folder, `${index}.db`)}`
          : await makeDatabase(url, `peer_${index}`);
      running.push({ name, ...(await start(script, database, join(folder, `${index}.txt`), folder)) });
    }
    const taken = new Map(running.map(({ name }): [string, Taken[]] => [name, []]));
    for (let round = 0; round <= rounds; round++) {
      for (const one of running) {
        progress(`round ${round} of ${rounds}: ${one.name}`);
        const both = await openAndGuarded(load, one);
        if (round > 0) taken.get(one.name)?.push(both);
      }
    }
    return [...taken].map(([name, both]) => row(name, both));
  } finally {
    for (const { server } of running) await server.stop();
  }
}

async function start(script: string, database: string, cookies: string, folder: string) {
  if (script === LATCHKEY) {
    await plant(database, { sessions: SESSIONS });
    writeFileSync(cookies, Array.from({ length: SESSIONS }, (_, number) => plantedCookie(number)).join("\n"));
  }
  const settings = {
    BENCH_DATABASE: database,
    BENCH_COOKIES: cookies,
    BENCH_FOLDER: folder,
    BENCH_SESSIONS: String(SESSIONS),
  };
  return { server: await startServer(script, settings), cookies };
}

async function makeDatabase(url: string, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`create database ${name}`);
  await client.end();
  return Object.assign(new URL(url), { pathname: `/${name}` }).href;
}

type Taken = { open: Measured; guarded: Measured };

async function openAndGuarded(load: Load, { server, cookies }: Running): Promise<Taken> {
  const sessions = { count: SESSIONS, order: "turn", cookies } as const;
  // Not measured: pools have closed connections that were idle while the others had their turns.
  await load(server, "/guarded", sessions);
  return {
    open: await load(server, "/open", sessions),
    guarded: await load(server, "/guarded", sessions),
  };
}

function row(name: string, both: readonly Taken[]): Row {
  const perSecond = (of: keyof Taken) =>
    Math.round(summary(both.map((taken) => taken[of].perSecond)).value).toLocaleString("en");
  const cpu = (of: keyof Taken) => summary(both.map((taken) => taken[of].cpu)).value.toFixed(0);
  return {
    id: name,
    what: `${name}: share of its own open route`,
    ...summary(both.map(({ open, guarded }) => guarded.perSecond / open.perSecond)),
    unit: "",
    beside: `${perSecond("guarded")} of ${perSecond("open")} requests a second; ${cpu("guarded")} µs of the app's processor a request, ${cpu("open")} unguarded`,
  };
}
