import type { Command } from "commander";
import { readEmailAddress } from "../../credentials/email-address.ts";
import type { HttpParts } from "../../http/call.ts";
import { readDashboard } from "../../http/pages/dashboard.ts";
import { escapeHtml } from "../../http/pages/html.ts";
import { waitingEmails } from "../../mail/outgoing.ts";
import { insecureUrlWarning, readSettings, type Settings, siteNameOf } from "../../options/options.ts";
import { givenOptions } from "../given-options.ts";
import { type JsonFlag, many, print } from "../terminal.ts";
import { missingDatabase, withLatchkey } from "../with-latchkey.ts";
import { lookAtSecrets } from "./doctor-secrets.ts";
import { type Finding, fail, messageOf, ok, warn } from "./finding.ts";

export function addDoctor(program: Command): void {
  program
    .command("doctor")
    .description("Checks the database, email, addresses, proxies and cookies, and says what it finds.")
    .option("--send-mail <ADDRESS>", "Also sends a test email to this address.")
    .action(async (flags: JsonFlag & { sendMail?: string }) => {
      const settings = readSettings(await givenOptions());
      const missing = missingDatabase(settings);
      const findings =
        missing === null
          ? await withLatchkey((parts) => examine(parts, flags.sendMail))
          : [fail(missing), ...lookAtSettings(settings)];
      if (flags.json) print(JSON.stringify(findings, null, 2));
      else for (const { state, words } of findings) print(`${state.padEnd(4)}  ${words}`);
      if (findings.some(({ state }) => state === "fail")) process.exitCode = 1;
    });
}

async function examine(parts: HttpParts, sendMailTo: string | undefined): Promise<Finding[]> {
  // Imported only here, since it loads both database engines.
  const { lookAtDatabase } = await import("./doctor-database.ts");
  return [
    ...(await lookAtDatabase(parts)),
    ...(await lookAtMail(parts, sendMailTo)),
    ...(await lookAtWaitingEmails(parts)),
    ...lookAtSettings(parts.settings),
    ...(await lookAtSecrets(parts)),
  ];
}

async function lookAtMail(parts: HttpParts, to: string | undefined): Promise<Finding[]> {
  const found = await lookAtTransport(parts);
  return to === undefined || found.state === "fail" ? [found] : [found, await sendTestEmail(parts, to)];
}

async function lookAtTransport({ settings, mailer, log }: HttpParts): Promise<Finding> {
  const { smtpUrl, outbox } = settings;
  try {
    await mailer.verify();
  } catch (error) {
    log.debug({ err: error }, "Where emails go was checked.");
    if (smtpUrl === null) return fail(`The outbox ${outbox} can't be written.`);
    return fail(`The mail server of SMTP_URL does not accept email: ${messageOf(error)}`);
  }
  if (smtpUrl === null) return warn(`SMTP_URL is not set: emails are files in ${outbox}.`);
  return ok("The mail server accepts email.");
}

async function sendTestEmail({ settings, mailer }: HttpParts, to: string): Promise<Finding> {
  if (readEmailAddress(to) === null) return fail(`${to} isn't an address that email can be sent to.`);
  const words = `This is a test email of ${siteNameOf(settings)}.`;
  const html = `<p>${escapeHtml(words)}</p>`;
  try {
    await mailer.sendNow(to, { subject: "Test email", text: `${words}\n`, html });
  } catch (error) {
    return fail(`An email to ${to} was not accepted: ${messageOf(error)}`);
  }
  return ok(`An email to ${to} was handed over${settings.smtpUrl === null ? ` to ${settings.outbox}` : ""}.`);
}

/** Warns of emails that wait to be sent; a wait of a few seconds is normal. */
async function lookAtWaitingEmails({ database, settings }: HttpParts): Promise<Finding[]> {
  const now = settings.now();
  const waiting = await waitingEmails(database, now).catch(() => null);
  if (waiting === null || now - waiting.oldestAt < 60_000) return [];
  const emails = waiting.count === 1 ? "1 email waits" : `${waiting.count} emails wait`;
  const why = waiting.failure === null ? "" : `; a try failed with ${waiting.failure}`;
  const since = new Date(waiting.oldestAt).toISOString();
  return [
    warn(`${emails} to be sent, the oldest since ${since}${why}. A running server tries again by itself.`),
  ];
}

/** Findings that need no connection and no file. */
function lookAtSettings(settings: Settings): Finding[] {
  const { baseUrl, cookieDomain, trustedProxies } = settings;
  const warning = insecureUrlWarning(baseUrl);
  return [
    warning === null ? ok(`BASE_URL is ${baseUrl.href}.`) : warn(warning),
    ...(baseUrl.hasName
      ? []
      : [warn("The host of BASE_URL is an IP address: passkeys are off, since they belong to a host name.")]),
    cookieDomain === null
      ? ok("The cookie belongs to this host alone.")
      : warn(`LATCHKEY_COOKIE_DOMAIN shares the cookie with every host below ${cookieDomain}.`),
    lookAtBinding(settings),
    trustedProxies.length > 0 || baseUrl.isLocal
      ? ok(`LATCHKEY_TRUSTED_PROXIES has ${many(trustedProxies.length, "entry", "entries")}.`)
      : warn(`LATCHKEY_TRUSTED_PROXIES is not set${baseUrl.secure ? ENDS_TLS : ""}. ${WHAT_TO_DECLARE}`),
    readDashboard(settings)
      ? ok("The dashboard is built.")
      : fail("The dashboard isn't built: npm run build:dashboard."),
    settings.rateLimits
      ? ok("Attempts are limited.")
      : warn("LATCHKEY_RATE_LIMITS is off: for load tests only."),
  ];
}

/** Whether sessions are bound to devices (B11), and if not, what prevents it. */
function lookAtBinding({ deviceBinding, baseUrl, cookieDomain, bindingRefresh }: Settings): Finding {
  const minutes = bindingRefresh / 60_000;
  if (deviceBinding === "off")
    return warn("LATCHKEY_DEVICE_BINDING is off: a stolen cookie works elsewhere.");
  if (cookieDomain !== null)
    return warn("Sessions aren't bound to devices, since LATCHKEY_COOKIE_DOMAIN shares their cookie.");
  return baseUrl.secure
    ? ok(
        `Sessions are bound to devices in browsers that can; a stolen cookie works for ${minutes} minutes at most. ${WHAT_PROXIES_PASS}`,
      )
    : ok("Sessions aren't bound to devices, since browsers do that on https only.");
}

const WHAT_PROXIES_PASS =
  "A proxy in front must pass on both cookies and what begins with Secure-Session- and Sec-Secure-Session-, as those in examples/ do.";
const ENDS_TLS = ", but BASE_URL is https, so a proxy in front of Latchkey ends the encryption";
const WHAT_TO_DECLARE =
  "Set it to the proxy's address as Latchkey sees it: 127.0.0.1 where the proxy runs on this machine. Until then all visitors of that proxy count as one, against limits that are ten times as generous. Where there is no proxy, leave it.";
