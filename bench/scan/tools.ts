import { readFileSync } from "node:fs";
import { join } from "node:path";
import { run, type Target } from "./run.ts";

/** Pages and GET calls, with the parameters that their addresses take. */
const ADDRESSES = [
  "/login?next=%2Fsettings%2Fsecurity",
  "/signup?next=%2Fsettings%2Fsecurity",
  "/forgot",
  "/reset?token=abc",
  "/settings/security",
  "/api/session",
  "/api/sessions",
  "/api/activity?before=abc",
  "/api/account/login-methods",
  "/api/openapi.json",
  "/verify?mode=nginx",
];

/**
 * Without `ssrf` and `xxe`, which have the server call an outside host, and without modules that look for
 * other products.
 */
const MODULES =
  "backup,blindsql,cookieflags,crlf,csp,csrf,exec,file,htaccess,http_headers,methods,permanentxss,redirect,shellshock,sql,xss";

/** Which software the server identifies itself as: none. */
export async function whatweb({ url, folder }: Target): Promise<string[]> {
  const file = join(folder, "whatweb.json");
  await run("whatweb", ["-a", "3", "-q", `--log-json=${file}`, `${url}/login`], 60);
  const pages = JSON.parse(readFileSync(file, "utf8")) as { plugins: Record<string, unknown> }[];
  const named = pages.flatMap(({ plugins }) => Object.keys(plugins));
  console.log(`whatweb       ${pages.length} page read; says of it: ${named.join(", ")}`);
  if (pages.length === 0) return ["whatweb: read nothing"];
  return named
    .filter((plugin) => /^(HTTPServer|X-Powered-By|MetaGenerator|PoweredBy)$/.test(plugin))
    .map((plugin) => `whatweb: ${plugin}`);
}

/** What wapiti misses, and why it isn't there. */
const EXPLAINED = new Map([
  [
    "X-XSS-Protection is not set",
    "no current browser reads it, and the Content-Security-Policy allows no inline scripts",
  ],
  ["Strict-Transport-Security is not set", "this server is on http; on https it is set, which a test checks"],
]);

type Report = {
  infos: { crawled_pages_nbr?: number };
  vulnerabilities: Record<string, { method: string; path: string; info: string }[]>;
};

/** Each page and GET call as someone who is signed in. */
export async function wapiti({ url, cookie, folder }: Target): Promise<string[]> {
  const file = join(folder, "wapiti.json");
  const starts = ADDRESSES.flatMap((address) => ["-s", `${url}${address}`]);
  const bounds = ["--max-scan-time", "90", "--max-attack-time", "25", "--no-bugreport", "--flush-session"];
  const store = ["--store-session", folder, "--store-config", folder];
  const output = ["-f", "json", "-o", file, "-v", "0"];
  const who = ["-H", `Cookie: ${cookie}`];
  await run(
    "wapiti",
    ["-u", `${url}/`, ...starts, "-m", MODULES, ...bounds, ...store, ...output, ...who],
    600,
  );
  const { vulnerabilities } = JSON.parse(readFileSync(file, "utf8")) as Report;
  const all = Object.entries(vulnerabilities).flatMap(([kind, them]) =>
    them.map(({ method, path, info }) => ({ info, words: `${kind}: ${method} ${path}: ${info}` })),
  );
  const found = all.filter(({ info }) => !EXPLAINED.has(info)).map(({ words }) => `wapiti: ${words}`);
  const modules = MODULES.split(",").length;
  console.log(`wapiti        ${ADDRESSES.length} addresses, ${modules} modules: ${found.length} findings`);
  for (const { info, words } of all.filter(({ info }) => EXPLAINED.has(info)))
    console.log(`              explained: ${words}: ${EXPLAINED.get(info)}`);
  return found;
}

const JSON_BODY = ["-H", "Content-Type: application/json", "-H", "Sec-Fetch-Site: same-origin"];

/** Each input that reaches SQL, or looks as if it did. */
export async function sqlmap({ url, cookie, folder }: Target): Promise<string[]> {
  const requests: [string, string[]][] = [
    [
      "sign-in",
      [`${url}/api/session`, ...JSON_BODY, "--data", '{"email":"ann@example.test","password":"b"}'],
    ],
    ["reset", [`${url}/api/password-resets`, ...JSON_BODY, "--data", '{"email":"ann@example.test"}']],
    ["link", [`${url}/api/not-me`, ...JSON_BODY, "--data", '{"token":"abc"}']],
    ["session's id", [`${url}/api/sessions/abc*`, "--method", "DELETE", ...JSON_BODY, "--cookie", cookie]],
    [
      "method's id",
      [`${url}/api/account/login-methods/abc*`, "--method", "DELETE", ...JSON_BODY, "--cookie", cookie],
    ],
    ["activity", [`${url}/api/activity?before=abc`, "--cookie", cookie]],
    ["cookie", [`${url}/verify`, "--cookie", `${cookie}`, "--level=2", "-p", cookie.split("=")[0] ?? ""]],
  ];
  const found: string[] = [];
  for (const [name, args] of requests) {
    const output = await run("sqlmap", ["-u", ...args, ...BOUNDS, `--output-dir=${folder}`], 300);
    const tried = /total of (\d+) HTTP/.exec(output)?.[1];
    const isFound =
      /identified the following injection point|is vulnerable|appears to be '.*' injectable/.test(output);
    const isClean = /do not appear to be injectable/.test(output);
    console.log(
      `sqlmap        ${name}: ${isFound ? "injectable" : isClean ? "nothing" : "not finished"} ${tried ?? ""}`,
    );
    if (isFound || !isClean) found.push(`sqlmap: ${name}: ${output.slice(-600)}`);
  }
  return found;
}

/** Refusals count as answers like any other: sqlmap would stop at their status codes. */
const BOUNDS = [
  "--batch",
  "--flush-session",
  "--risk=1",
  "--threads=4",
  "--time-sec=2",
  "--technique=BEUT",
  "--ignore-code=*",
  "--drop-set-cookie",
  "--disable-coloring",
];
