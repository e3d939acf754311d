import fc from "fast-check";
import { openApiDocument } from "../../src/http/api/document.ts";
import { pageRoutes } from "../../src/http/pages/pages.ts";
import { api } from "../../src/http/routes.ts";
import { type Body, bodyFor } from "./bodies.ts";
import { oddHeader, oddPart, placeOf, seldom } from "./odd.ts";

/** Whose cookies are sent. */
export const ACTORS = ["nobody", "person", "confirmed", "twoFactor", "half", "ended", "invented"] as const;
export type Actor = (typeof ACTORS)[number];

type Header = [name: string, value: string];

/** A request as it is generated: with placeholders for what is known only when it is sent. */
export type Generated = {
  actor: Actor;
  method: string;
  /** The row of the table, by its path; the request's own path may have been altered since. */
  row: string;
  path: string;
  headers: Header[];
  body: Body;
};

type Fields = Record<string, unknown>;
type Documented = Record<
  string,
  Record<string, { requestBody?: { content: Record<string, { schema: object }> } }>
>;

const METHODS = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "PROPFIND"];
const TYPES = [
  "application/json; charset=utf-8",
  "application/json;charset=utf-7",
  "Application/JSON",
  "application/problem+json",
  "text/plain",
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  "text/html",
  "",
];

/** Headers that the server reads, with right, wrong and odd values. */
const HEADERS: Record<string, string[]> = {
  Accept: ["text/html", "*/*", "text/event-stream"],
  Origin: ["null", "https://evil.example", "http://localhost:1"],
  "Sec-Fetch-Site": ["cross-site", "same-site", "none", "same-origin"],
  "Sec-Fetch-Mode": ["navigate", "cors", "no-cors"],
  "Latchkey-Background": ["1", "0"],
  "X-Forwarded-For": ["10.0.0.1", "10.0.0.2, 127.0.0.1", "2001:db8::1", "unknown", "::ffff:10.0.0.1"],
  "X-Forwarded-Host": ["evil.example", "localhost"],
  "X-Forwarded-Proto": ["https", "javascript"],
  "X-Forwarded-Method": ["POST", "GET"],
  "X-Forwarded-Uri": ["/a?b=c", "//evil.example", "/\\evil.example"],
  "X-Original-URL": ["http://localhost/x", "javascript:alert(1)"],
  "X-HTTP-Method-Override": ["DELETE", "PUT"],
  Forwarded: ["for=10.0.0.1;host=evil.example"],
  "If-None-Match": ["*", '"x"'],
  "If-Modified-Since": ["Thu, 01 Jan 1970 00:00:00 GMT"],
  Range: ["bytes=0-0", "bytes=-1"],
  "Accept-Encoding": ["gzip, br", "identity;q=0"],
  "Accept-Language": ["de", "*"],
  Host: ["evil.example", "localhost:99999"],
  Authorization: ["Bearer x", "Basic eDp5"],
  "Sec-CH-UA": ['"Brave";v="131", "Chromium";v="131"', '"'],
  "Sec-CH-UA-Platform": ['"Windows"', "Windows"],
  "User-Agent": ["", "curl/8", "Mozilla/5.0 (((((((("],
  "Sec-Secure-Session-Id": [`"${placeOf("session")}"`, '"x'],
  "Secure-Session-Response": ['"a.b.c"', '"eyJhbGciOiJub25lIn0.e30."'],
  "Secure-Session-Skipped": [`unreachable;session_identifier="${placeOf("session")}"`],
};

const documented = openApiDocument(api, { signUp: "open", sessionCookie: "latchkey" }).paths as Documented;
const rows = [
  ...api.map(({ method, path }) => ({ method, path, fields: fieldsOf(method, path) })),
  ...pageRoutes(null).map(({ method, path }) => ({ method, path, fields: [] as string[] })),
];

function fieldsOf(method: string, path: string): string[] {
  const operation = documented[path.replace(/:(\w+)/g, "{$1}")]?.[method.toLowerCase()];
  const schema = operation?.requestBody?.content["application/json"]?.schema as
    | { properties?: Fields }
    | undefined;
  return Object.keys(schema?.properties ?? {});
}

/** Mostly ids that exist, if a row names one. */
function pathFor(path: string): fc.Arbitrary<string> {
  const own = path.includes("/sessions/") ? "otherSession" : "method";
  const id = fc.oneof({ weight: 3, arbitrary: fc.constant(placeOf(own)) }, { weight: 2, arbitrary: oddPart });
  const provider = fc.oneof({ weight: 3, arbitrary: fc.constant("acme") }, { weight: 1, arbitrary: oddPart });
  const names = [
    "before",
    "next",
    "mode",
    "state",
    "code",
    "error",
    "step",
    "token",
    "intent",
    "rd",
    "_method",
  ];
  const pair = fc.tuple(fc.constantFrom(...names), oddPart).map(([name, value]) => `${name}=${value}`);
  const query = fc.array(pair, { minLength: 1, maxLength: 4 }).map((pairs) => `?${pairs.join("&")}`);
  const bent = fc.constantFrom("/", "//", "/x", ".css", ";.js", "%00", "?", "#", "/..", "%20");
  return fc
    .tuple(
      id,
      provider,
      seldom(3, query, ""),
      seldom(20, bent, ""),
      seldom(40, fc.constantFrom("/auth", "//", "/./", "/api", "http://evil.example"), ""),
    )
    .map(([one, other, asked, after, before]) => {
      const target = path.replace(":id", one).replace(":file", one).replace(":provider", other);
      return before + target + after + asked;
    });
}

const someHeader = fc
  .constantFrom(...Object.entries(HEADERS))
  .chain(([name, known]) =>
    fc
      .oneof({ weight: 3, arbitrary: fc.constantFrom(...known) }, { weight: 1, arbitrary: oddHeader })
      .map((value): Header => [name, value]),
  );
const oddCookie = fc
  .tuple(
    fc.constantFrom(
      "latchkey",
      "latchkey-device",
      "latchkey-sign-in",
      "latchkey-ceremony",
      "__Host-latchkey",
    ),
    oddHeader,
  )
  .map(([name, value]): Header => ["Cookie", `${name}=${value}; ${name}=«token»`]);
const headers = fc
  .tuple(
    fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      { weight: 2, arbitrary: fc.array(someHeader, { maxLength: 5 }) },
    ),
    seldom<Header | null>(15, oddCookie, null),
    seldom<Header | null>(
      12,
      fc.constantFrom(...TYPES).map((type): Header => ["Content-Type", type]),
      null,
    ),
  )
  .map(([some, cookie, type]) => [...some, cookie, type].filter((one) => one !== null));

/**
 * Mostly people who are signed in; rarely if the request would sign them out, since all later ones would then
 * be refused alike.
 */
function actorFor(method: string, row: string): fc.Arbitrary<Actor> {
  const any = fc.constantFrom(...ACTORS);
  const leaves = method === "DELETE" && ["/api/session", "/api/account"].includes(row);
  if (leaves) return seldom<Actor>(20, any, "ended");
  return fc.oneof(any, fc.constantFrom<Actor>("person", "confirmed", "twoFactor"));
}

const generated: fc.Arbitrary<Generated> = fc
  .constantFrom(...rows)
  .chain(({ method: own, path: row, fields }) =>
    fc.record({
      actor: actorFor(own, row),
      method: fc.oneof(
        { weight: 9, arbitrary: fc.constant(own === "ALL" ? "GET" : own) },
        { weight: 1, arbitrary: fc.constantFrom(...METHODS) },
      ),
      row: fc.constant(row),
      path: pathFor(row),
      headers,
      body: bodyFor(fields),
    }),
  );

/** The requests of a seed, always the same ones. */
export function requestsOf(seed: number, count: number): Generated[] {
  return fc.sample(generated, { seed, numRuns: count });
}
