import { accessSync, constants, existsSync, mkdirSync, statSync } from "node:fs";
import { sql } from "kysely";
import { keyFileOf } from "../accounts/key-file.ts";
import type { HttpParts } from "../http/call.ts";
import { readDashboard } from "../http/dashboard.ts";
import { inTheClear } from "../http/reached-at.ts";
import type { Command, Run } from "./command.ts";
import { withLatchkey } from "./with-latchkey.ts";

/** What was looked at, and what to do about it. */
type Finding = { state: "ok" | "warn" | "fail"; words: string };

const ok = (words: string): Finding => ({ state: "ok", words });
const warn = (words: string): Finding => ({ state: "warn", words });
const fail = (words: string): Finding => ({ state: "fail", words });

export const doctorCommand: Command = {
  name: "doctor",
  usage: "",
  summary: "Looks at the database, mail, addresses, proxies and cookies, and says what it finds.",
  flags: { json: { type: "boolean" }, "send-mail": { type: "string" } },
  flagHelp: { "send-mail": "Sends a mail to this address, too.", json: "Prints JSON." },
  takes: 0,
  run: (run) =>
    withLatchkey(run, async ({ parts }) => {
      const findings = [
        ...(await lookAtDatabase(parts)),
        ...(await lookAtMail(parts, run)),
        ...lookAtAddresses(parts),
        ...lookAtKeys(parts),
        readDashboard(parts.settings)
          ? ok("The dashboard is built.")
          : fail("The dashboard isn't built: npm run build:dashboard."),
        parts.settings.rateLimits
          ? ok("Attempts are limited.")
          : warn("LATCHKEY_RATE_LIMITS is off: for load tests only."),
      ];
      if (run.flags.json) run.print(JSON.stringify(findings, null, 2));
      else for (const { state, words } of findings) run.print(`${state.padEnd(4)}  ${words}`);
      return findings.some(({ state }) => state === "fail") ? 1 : 0;
    }),
};

async function lookAtDatabase(parts: HttpParts): Promise<Finding[]> {
  const { database, settings } = parts;
  try {
    await database.read.selectFrom("account").select("id").limit(1).execute();
    await database.write(({ query }) => query.deleteFrom("attempts").where("key", "=", "doctor").execute());
  } catch (error) {
    return [fail(`The database does not answer: ${error instanceof Error ? error.message : String(error)}`)];
  }
  if (settings.database.engine === "sqlite")
    return [ok(`The database ${settings.database.file} can be read and written.`)];
  const ahead = Math.round(await database.clockAhead(Date.now()));
  const clock = Math.abs(ahead) < 2_000 ? ok : Math.abs(ahead) < 60_000 ? warn : fail;
  return [
    ok("PostgreSQL answers, and can be written."),
    clock(`The clock of the database is ${ahead} ms ahead of this machine's.`),
    ...(await lookAtDurability(parts)),
  ];
}

/** Would an ending that was answered survive a crash, and a failover? */
async function lookAtDurability({ database }: HttpParts): Promise<Finding[]> {
  const show = async (name: string) => {
    const { rows } = await sql<{ value: string }>`select current_setting(${name}) as value`.execute(
      database.read,
    );
    return rows[0]?.value ?? "";
  };
  const commit = await show("synchronous_commit");
  const names = await show("synchronous_standby_names");
  const standbys = await sql<{ state: string }>`select sync_state as state from pg_stat_replication`
    .execute(database.read)
    .then(({ rows }) => rows.map((row) => row.state))
    .catch(() => []);
  const asynchronous = standbys.filter((state) => state === "async").length;
  return [
    commit === "off" || commit === "local"
      ? fail(
          `synchronous_commit is ${commit}: a crash or a failover can bring ended sessions back. Set it to on.`,
        )
      : ok(`synchronous_commit is ${commit}.`),
    (await show("fsync")) === "on"
      ? ok("fsync is on.")
      : fail("fsync is off: a power cut can bring ended sessions back."),
    asynchronous > 0
      ? warn(
          `${asynchronous} standby servers are asynchronous: a failover to one can bring ended sessions back.`,
        )
      : standbys.length > 0
        ? ok(`The standby servers are synchronous (${names}).`)
        : ok("No standby server is connected, or this user may not see them."),
  ];
}

async function lookAtMail({ settings, mailer, log }: HttpParts, { flags }: Run): Promise<Finding[]> {
  const to = flags["send-mail"];
  if (settings.smtpUrl === null) {
    const found = folderIsWritable(settings.outbox)
      ? warn(`SMTP_URL is not set: mails are files in ${settings.outbox}.`)
      : fail(`The outbox ${settings.outbox} can't be written.`);
    if (typeof to !== "string") return [found];
  }
  const findings: Finding[] = [];
  try {
    await mailer.verify();
    if (settings.smtpUrl !== null) findings.push(ok("The mail server takes mail."));
  } catch (error) {
    log.debug({ err: error }, "The mail server was asked.");
    return [
      fail(
        `The mail server of SMTP_URL does not take mail: ${error instanceof Error ? error.message : String(error)}`,
      ),
    ];
  }
  if (typeof to !== "string") return findings;
  const words = `This is a test mail of ${settings.baseUrl.host}.`;
  mailer.send(to, { subject: "Test mail", text: `${words}\n`, html: `<p>${words}</p>` });
  await mailer.settled();
  return [
    ...findings,
    ok(`A mail to ${to} was handed over${settings.smtpUrl === null ? ` to ${settings.outbox}` : ""}.`),
  ];
}

function lookAtAddresses({ settings }: HttpParts): Finding[] {
  const { baseUrl, cookieDomain, trustedProxies } = settings;
  const clear = inTheClear(baseUrl);
  return [
    clear === null ? ok(`BASE_URL is ${baseUrl.href}.`) : warn(clear),
    ...(baseUrl.hasName
      ? []
      : [warn("The host of BASE_URL is an IP address: passkeys are off, since they belong to a host name.")]),
    cookieDomain === null
      ? ok("The cookie belongs to this host alone.")
      : warn(`LATCHKEY_COOKIE_DOMAIN shares the cookie with every host below ${cookieDomain}.`),
    trustedProxies.length > 0 || baseUrl.isLocal
      ? ok(`${trustedProxies.length} ranges of proxies are trusted.`)
      : warn("LATCHKEY_TRUSTED_PROXIES is not set: behind a proxy, nothing is limited by network."),
  ];
}

function lookAtKeys({ settings }: HttpParts): Finding[] {
  if (settings.secretKeys) return [ok(`LATCHKEY_SECRET_KEY is set (${settings.secretKeys.length}).`)];
  if (settings.database.engine !== "sqlite") return [];
  const file = keyFileOf(settings.database.file);
  const isOpen = existsSync(file) && (statSync(file).mode & 0o077) !== 0;
  return [isOpen ? fail(`${file} can be read by others: chmod 600 it.`) : ok(`The key file is ${file}.`)];
}

function folderIsWritable(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
