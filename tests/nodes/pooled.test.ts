import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { migrationsOf } from "../../src/database/migrations.ts";
import { engineOf, type TestDatabase } from "../support/databases/engines.ts";
import { expectNoContent, expectSignedIn, expectSignedOut } from "../support/requests/expectations.ts";
import { OTHER_PASSWORD, PASSWORD, signIn, signUp } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { systemProgram } from "../support/runs/system-program.ts";
import { freePort } from "../support/servers/free-port.ts";
import { startInOwnProcess } from "../support/servers/own-process.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";

const program = await systemProgram("pgbouncer");

/** PgBouncer in transaction mode as Debian ships it, with no setting made for Latchkey. */
async function startPooler(program: string, database: URL, { size = 8, more = "" } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-pooler-"));
  await chmod(folder, 0o755);
  const port = await freePort();
  const { hostname, port: to, username, password } = database;
  const file = join(folder, "pgbouncer.ini");
  await writeFile(
    file,
    `[databases]
* = host=${hostname} port=${to} user=${username} password=${password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${size}
${more}
`,
  );
  await chmod(file, 0o644);
  const user = process.getuid?.() === 0 ? ["-u", "nobody"] : [];
  const child = spawn(program, [...user, file], { stdio: "ignore" });
  await answers(port, child);
  return {
    url: Object.assign(new URL(database), { hostname: "127.0.0.1", port: String(port) }).href,
    async stop() {
      const gone = once(child, "exit");
      child.kill("SIGTERM");
      child.kill("SIGINT");
      await gone;
      await rm(folder, { recursive: true });
    },
  };
}

/** Before 1.21, PgBouncer never kept prepared statements, and doesn't know the setting. */
function keepsNoStatements(): string {
  const { stdout } = spawnSync(program ?? "", ["--version"], { encoding: "utf8" });
  return Number(/PgBouncer 1\.(\d+)/.exec(stdout)?.[1]) >= 21 ? "max_prepared_statements = 0" : "";
}

async function answers(port: number, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`pgbouncer ended with ${child.exitCode}.`);
    const socket = createConnection(port, "127.0.0.1");
    const isThere = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    });
    socket.destroy();
    if (isThere) return;
  }
}

describe.skipIf(program === null)("Two nodes behind PgBouncer in transaction mode", () => {
  let pooler: Awaited<ReturnType<typeof startPooler>>;
  let direct: TestDatabase;
  let servers: TestServer[] = [];
  beforeAll(async () => {
    direct = await engineOf("postgres").createDatabase();
    pooler = await startPooler(program ?? "", new URL(direct.url));
    const options = {
      engine: engineOf("postgres"),
      database: { ...direct, url: pooler.url },
      listenUrl: direct.url,
      secretKey: "ab".repeat(32),
      baseUrl: "http://localhost:3999",
    };
    servers = await Promise.all([startServer(options), startServer(options)]);
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.close()));
    await pooler?.stop();
    await direct?.drop();
  });

  const [first, second] = [() => servers[0] as TestServer, () => servers[1] as TestServer];

  test("that start at the same time migrate once", async () => {
    const rows = await direct.read("select version from latchkey_schema order by version");
    expect(rows.map(({ version }) => version)).toEqual(
      migrationsOf("postgres").map(({ version }) => version),
    );
  });

  test("a session ended at one is refused by the other at its next request, again and again", async () => {
    const person = await signUp(first());
    for (const agent of [UA.firefoxWindows, UA.safariIphone, UA.edgeWindows, UA.firefoxLinux]) {
      const { client, session } = await signIn(second(), person, agent);
      const there = first().client(agent);
      there.token = client.token;
      await expectSignedIn(there);
      expectNoContent(await person.client.delete(`/api/sessions/${session.id}`));
      await expectSignedOut(client, "signed_out_remotely");
      await expectSignedOut(there, "signed_out_remotely");
    }
  });

  test("many checks at once each get the answer for their own session", async () => {
    const people = await Promise.all(Array.from({ length: 8 }, () => signUp(first())));
    const answers = await Promise.all(
      Array.from({ length: 160 }, async (_, turn) => {
        const person = people[turn % people.length];
        const { body } = (await person?.client.get("/api/session")) ?? {};
        return body?.account?.email === person?.email;
      }),
    );
    expect(answers).not.toContain(false);
  });

  test("an open page at the other node hears at once, by the direct connection", async () => {
    const person = await signUp(first());
    const { client } = await signIn(second(), person, UA.firefoxWindows);
    const page = await client.live();
    expectNoContent(
      await person.client.put("/api/account/password", {
        currentPassword: PASSWORD,
        newPassword: OTHER_PASSWORD,
      }),
    );
    expect(await page.nextOf("signed-out")).toMatchObject({ data: { reason: "password_changed" } });
  });

  test("a code works once, whichever node takes it, and pruning needs no connection of its own", async () => {
    const person = await signUp(first());
    const token = await first().outbox.tokenFor(person.email, "/confirm-email");
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, turn) =>
        servers[turn % 2]?.client().post("/api/email-confirmations", { token }),
      ),
    );
    expect(answers.filter((answer) => answer?.status === 204)).toHaveLength(1);
    const { prune } = await import("../../src/sessions/prune.ts");
    const now = Date.now() + 40 * 24 * 3_600_000;
    const pruned = await Promise.all(servers.map(({ latchkey }) => prune(latchkey.parts, now)));
    expect(pruned.reduce((sum, { sessions }) => sum + sessions, 0)).toBeGreaterThan(0);
  });
});

describe.skipIf(program === null)("A node behind a pooler that keeps no prepared statements", () => {
  test("goes on without a LATCHKEY_LISTEN_URL, and says once that it is missing", async () => {
    const database = await engineOf("postgres").createDatabase();
    const pooler = await startPooler(program ?? "", new URL(database.url), {
      size: 2,
      more: keepsNoStatements(),
    });
    const node = await startInOwnProcess({ databaseUrl: pooler.url, outbox: database.folder });
    const { client } = await signUp(node);
    // The node gets one of the pooler's two connections, and then the other, which doesn't know its prepared
    // statement.
    const [one, other] = [
      new pg.Client({ connectionString: pooler.url }),
      new pg.Client({ connectionString: pooler.url }),
    ];
    for (const holder of [one, other]) {
      await holder.connect();
      await holder.query("begin");
    }
    await one.query("rollback");
    await expectSignedIn(client);
    await one.query("begin");
    await other.query("rollback");
    await expectSignedIn(client);
    await Promise.all([one.end(), other.end()]);
    await expectSignedIn(client);
    await node.hasSaid("set LATCHKEY_LISTEN_URL to a direct connection");
    await node.stop();
    await pooler.stop();
    await database.drop();
  });
});
