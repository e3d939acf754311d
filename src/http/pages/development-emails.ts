import { readFromOutbox, readOutbox, type WrittenEmail } from "../../mail/read-outbox.ts";
import { isThisMachine } from "../../options/kinds.ts";
import type { Call } from "../call.ts";
import { notFound } from "../errors.ts";
import { isLoopback } from "../request/network.ts";
import type { Route } from "../route.ts";
import { escapeHtml, simplePage } from "./html.ts";

/** Pages that show the outbox. Emails contain secrets, so only a person at this machine may see them. */
export const developmentRoutes: Route[] = [
  { method: "GET", path: "/dev/emails", session: "none", respond: getEmails },
  { method: "GET", path: "/dev/emails/:file", session: "none", respond: getEmail },
];

async function getEmails(call: Call): Promise<Response> {
  if (!comesFromThisMachine(call)) return notFound(call.request, call.parts.settings);
  const { outbox, baseUrl } = call.parts.settings;
  const emails = await readOutbox(outbox);
  const items = emails.map((email) => {
    const link = linksOf(email)[0];
    const way = link === undefined ? "" : `<p>${anchor(link, link)}</p>`;
    const subject = anchor(`${baseUrl.path}/dev/emails/${email.file}`, email.subject);
    return `<article><h2>${subject}</h2><p>${facts(email)}</p>${way}</article>`;
  });
  return simplePage(200, "Emails", items.join("") || "<p>No emails yet.</p>", call.parts.settings);
}

async function getEmail(call: Call): Promise<Response> {
  const { request, parts } = call;
  const isAllowed = comesFromThisMachine(call);
  const email = isAllowed ? await readFromOutbox(parts.settings.outbox, call.param("file")) : null;
  if (email === null) return notFound(request, parts.settings);
  const text = email.text
    .trim()
    .split(LINK)
    .map((part, at) => (at % 2 === 1 ? anchor(part, part) : escapeHtml(part)))
    .join("");
  const back = anchor(`${parts.settings.baseUrl.path}/dev/emails`, "All emails");
  const content = `<p>${facts(email)}</p><pre>${text}</pre><p>${back}</p>`;
  return simplePage(200, email.subject, content, parts.settings);
}

/** Headers that proxies add, including proxies that don't name their clients. */
const PASSED_ON = [
  "forwarded",
  "via",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-real-ip",
];

/**
 * Excludes requests through a proxy on this machine, and those to a foreign host name that resolves to it.
 */
function comesFromThisMachine({ request, remote }: Call): boolean {
  const host = `http://${request.headers.get("host") ?? ""}`;
  return (
    isLoopback(remote) &&
    URL.canParse(host) &&
    isThisMachine(new URL(host).hostname) &&
    PASSED_ON.every((name) => request.headers.get(name) === null)
  );
}

const LINK = /(https?:\/\/[^\s<>"]+)/;

const linksOf = ({ text }: WrittenEmail) => text.split(LINK).filter((_, at) => at % 2 === 1);

const facts = ({ to, at }: WrittenEmail) => `To ${escapeHtml(to)}, ${escapeHtml(at)}`;

const anchor = (to: string, words: string) => `<a href="${escapeHtml(to)}">${escapeHtml(words)}</a>`;
