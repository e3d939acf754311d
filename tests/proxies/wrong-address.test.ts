import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Client } from "../support/requests/client.ts";
import type { Headers } from "../support/requests/exchange.ts";
import { freshEmail, PASSWORD } from "../support/requests/people.ts";
import { latchkey, serve } from "../support/servers/command-line.ts";
import { freePort } from "../support/servers/free-port.ts";

const LOGIN = "https://login.example.test/auth";

type Attempt = { path?: string; headers: Headers };

/** The warnings that a server logs while browsers try to sign up. */
async function warningsOf(env: Record<string, string>, attempts: Attempt[] = []): Promise<string[]> {
  const cwd = mkdtempSync(join(tmpdir(), "latchkey-address-"));
  const port = await freePort();
  const { child, stop } = await serve({ cwd, env: { PORT: String(port), ...env } });
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  const baseUrl = env.BASE_URL ?? `http://localhost:${port}`;
  for (const { path = "/api/accounts", headers } of attempts)
    await new Client({ baseUrl, port }).post(path, { email: freshEmail(), password: PASSWORD }, headers);
  await stop();
  rmSync(cwd, { recursive: true, force: true });
  const lines = said.split("\n").filter((line) => line.startsWith("{"));
  const warned = lines.map((line) => JSON.parse(line) as { level: number; msg: string });
  return warned.filter(({ level }) => level === 40).map(({ msg }) => msg);
}

test("an unencrypted BASE_URL causes a warning at the start, and in doctor", async () => {
  const env = { BASE_URL: "http://app.example.test/auth" };
  const sentence =
    "BASE_URL http://app.example.test/auth is not https: cookies and passwords travel in the clear, and passkeys don't work. Put https in front of Latchkey, and set BASE_URL=https://app.example.test/auth.";
  expect(await warningsOf(env)).toEqual([sentence]);
  const cwd = mkdtempSync(join(tmpdir(), "latchkey-address-"));
  expect((await latchkey(["doctor"], { cwd, env })).out).toContain(`warn  ${sentence}`);
  rmSync(cwd, { recursive: true, force: true });
});

test.each([
  {},
  { BASE_URL: LOGIN },
  { BASE_URL: "http://app.example.localhost:8080" },
  { BASE_URL: "http://127.0.0.1:8080" },
])("there is no warning at the start with %o", async (env) => {
  expect(await warningsOf(env)).toEqual([]);
});

test("a name that only begins like this machine's counts as unencrypted", async () => {
  expect(await warningsOf({ BASE_URL: "http://localhost.example.test" })).toHaveLength(1);
});

test.each([
  [
    "no proxy, or one that isn't declared",
    {},
    { Host: "login.example.test", Origin: "http://login.example.test" },
  ],
  ["a proxy", { LATCHKEY_TRUSTED_PROXIES: "127.0.0.1" }, { "X-Forwarded-Proto": "http" }],
])("http although BASE_URL says https causes one warning, behind %s", async (_, trusted, headers) => {
  const [warning = "", ...more] = await warningsOf({ BASE_URL: LOGIN, ...trusted }, [
    { headers },
    { headers },
  ]);
  expect(warning).toContain("a browser reached Latchkey at http://login.example.test.");
  expect(warning).toContain("Redirect http to https");
  expect(warning).toContain("X-Forwarded-Proto: https");
  expect(more).toEqual([]);
});

test.each([
  ["no proxy", {}, { Host: "app.example.test", Origin: "https://app.example.test" }],
  [
    "a proxy",
    { LATCHKEY_TRUSTED_PROXIES: "127.0.0.1" },
    { "X-Forwarded-Proto": "https, http", "X-Forwarded-Host": "app.example.test" },
  ],
])(
  "a host other than BASE_URL's causes a warning with what to set, behind %s",
  async (_, trusted, headers) => {
    const [warning = "", ...more] = await warningsOf({ BASE_URL: LOGIN, ...trusted }, [{ headers }]);
    expect(warning).toContain("set BASE_URL=https://app.example.test/auth;");
    expect(more).toEqual([]);
  },
);

test("claims by a stranger, other sites, and a proxy that asks for an app cause no warning", async () => {
  const trusted = { LATCHKEY_TRUSTED_PROXIES: "127.0.0.1" };
  const forwarded = { "X-Forwarded-Host": "app.example.test", "X-Forwarded-Proto": "http" };
  expect(await warningsOf({ BASE_URL: LOGIN }, [{ headers: forwarded }])).toEqual([]);
  expect(
    await warningsOf({ BASE_URL: LOGIN, ...trusted }, [
      { headers: { Origin: "https://evil.example" } },
      { headers: { Origin: "null", "X-Forwarded-Host": "[" } },
      { headers: { "X-Forwarded-Proto": "https", "X-Forwarded-Host": "login.example.test" } },
      { path: "/verify", headers: forwarded },
    ]),
  ).toEqual([]);
});
