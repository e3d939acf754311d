import { api } from "../../src/http/routes.ts";
import { type Answer, header } from "../support/requests/answers.ts";
import { checkDescribed } from "../support/requests/described.ts";
import type { Asked } from "./ask.ts";

const SAFE = ["GET", "HEAD", "OPTIONS"];

/** What no answer may reveal: where something is in the code, in the database or on disk. */
const INSIDES =
  /\bat \S+ \(|node_modules|file:\/\/|SQLITE_|SqliteError|relation "|syntax error|\.ts:\d+|ECONN|TypeError|RangeError/;

/** The rows whose requests browsers send by themselves for any page, or that proxies pass on. */
const UNGUARDED = api
  .filter(({ method, restsOnProof }) => method === "ALL" || restsOnProof)
  .map(({ path }) => path);

/** What is wrong with an answer, in words; empty if nothing is. */
export function faultsOf(asked: Asked, row: string, answer: Answer): string[] {
  const { status } = answer;
  // More than Node reads of a request's head, in its own words.
  if (status === 431) return [];
  // The fuzz run moves its own clock forward, and PostgreSQL has another: this has to say so.
  if (row === "/readyz" && status === 503 && /^$|^\{"status":"clock"/.test(answer.text))
    return described(asked, answer);
  const isProviders = status === 502 && asked.path.includes("/api/oidc/");
  const faults = status >= 500 && !isProviders ? [`is a ${status}`] : [];
  if (status < 200) faults.push(`has the status ${status}`);
  if (INSIDES.test(answer.text)) faults.push("tells what is inside");
  if (/lk1_[\w-]{43}/.test(answer.text)) faults.push("tells a session's token");
  if (header(answer, "server") || header(answer, "x-powered-by")) faults.push("names the server");
  return [...faults, ...described(asked, answer), ...form(asked, answer), ...guards(asked, row, answer)];
}

function described({ method, path }: Asked, answer: Answer): string[] {
  if (header(answer, "content-type").startsWith("text/event-stream")) return [];
  // The server has read the path without its dots.
  const read = `http://localhost${path}`;
  try {
    checkDescribed(method, URL.canParse(read) ? new URL(read).pathname : path, answer);
    return [];
  } catch (error) {
    return [String(error)];
  }
}

/** A refusal is a complete problem, or a page for someone who asks for one. */
function form({ method }: Asked, answer: Answer): string[] {
  const { status, text } = answer;
  const type = header(answer, "content-type");
  const faults: string[] = [];
  if (text !== "" && status !== 304 && header(answer, "x-content-type-options") !== "nosniff")
    faults.push("may be sniffed");
  if (status < 400 || method === "HEAD" || (text === "" && header(answer, "location") !== "")) return faults;
  if (type.startsWith("text/html")) return /\S/.test(text) ? faults : [...faults, "is an empty page"];
  if (!type.startsWith("application/problem+json"))
    return [...faults, `refuses as "${type}": ${text.slice(0, 80)}`];
  return [...faults, ...problem(answer)];
}

function problem({ status, text, headers }: Answer): string[] {
  const told = JSON.parse(text) as Record<string, unknown>;
  const isWhole =
    told.status === status && ["code", "title", "detail"].every((key) => /\S/.test(String(told[key] ?? "")));
  if (!isWhole) return ["is not a complete problem"];
  if (status === 429 && !/^[1-9]\d*$/.test(String(headers["retry-after"])))
    return ["doesn't say when to come back"];
  return headers["cache-control"] === "no-store" ? [] : ["may be cached"];
}

/** Another site changes nothing, a body that isn't JSON is never read, and a 401 clears no session cookie. */
function guards({ method, headers, body }: Asked, row: string, answer: Answer): string[] {
  const faults: string[] = [];
  const clears = answer.setCookies.some((cookie) => /^latchkey=;|^latchkey=.*max-age=0/i.test(cookie));
  if (answer.status === 401 && clears) faults.push("clears the cookie with a 401");
  if (SAFE.includes(method) || UNGUARDED.includes(row) || answer.status >= 400) return faults;
  const sent = new Map(headers.map(([name, value]) => [name.toLowerCase(), value.trim().toLowerCase()]));
  if (["cross-site", "same-site"].includes(sent.get("sec-fetch-site") ?? ""))
    faults.push("lets another site in");
  const isJson = (sent.get("content-type") ?? "").split(";")[0]?.trim() === "application/json";
  if (body !== null && body.length > 0 && !isJson) faults.push("takes a body that isn't JSON");
  return faults;
}
