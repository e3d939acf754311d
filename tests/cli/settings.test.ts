import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { latchkey } from "../support/servers/command-line.ts";

const PAGE = readFileSync(join(import.meta.dirname, "..", "..", "docs", "settings.md"), "utf8");

let cwd = "";
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "latchkey-settings-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));
const migrate = (env: Record<string, string>) => latchkey(["migrate"], { cwd, env });

describe("A LATCHKEY_ variable that doesn't exist stops the start with one line", () => {
  test.each([
    ["LATCHKEY_SIGNUP", "Did you mean LATCHKEY_SIGN_UP?"],
    ["LATCHKEY_SESION_LIFETIME", "Did you mean LATCHKEY_SESSION_LIFETIME?"],
    ["LATCHKEY_RATE_LIMIT", "Did you mean LATCHKEY_RATE_LIMITS?"],
    ["LATCHKEY_BASE_URL", "Did you mean BASE_URL?"],
    ["LATCHKEY_PORT", "Did you mean PORT?"],
    ["LATCHKEY_OIDC_PROVIDER", "Did you mean LATCHKEY_OIDC_PROVIDERS?"],
    ["LATCHKEY_XYZZY", "See: latchkey serve --help."],
  ])("%s", async (name, hint) => {
    expect(await migrate({ [name]: "closed" })).toEqual({
      code: 1,
      out: "",
      err: `${name} is not a setting of Latchkey. ${hint}\n`,
    });
  });

  test("even in the .env file", async () => {
    writeFileSync(join(cwd, ".env"), "LATCHKEY_SIGNUP=closed\n");
    expect(await migrate({})).toMatchObject({
      code: 1,
      err: "LATCHKEY_SIGNUP is not a setting of Latchkey. Did you mean LATCHKEY_SIGN_UP?\n",
    });
  });

  test.each([
    ["LATCHKEY_OIDC_GOGLE_CLIENT_ID", "LATCHKEY_OIDC_PROVIDERS doesn't name gogle."],
    ["LATCHKEY_OIDC_GOOGLE_CLIENTID", "Did you mean LATCHKEY_OIDC_GOOGLE_CLIENT_ID?"],
    ["LATCHKEY_OIDC_ACME_ISSUER", "LATCHKEY_OIDC_PROVIDERS doesn't name acme."],
  ])("of a provider: %s", async (name, hint) => {
    const env = {
      LATCHKEY_OIDC_PROVIDERS: "google",
      LATCHKEY_OIDC_GOOGLE_CLIENT_ID: "id",
      LATCHKEY_OIDC_GOOGLE_CLIENT_SECRET: "secret",
    };
    expect(await migrate(env)).toMatchObject({ code: 0 });
    expect(await migrate({ ...env, [name]: "x" })).toMatchObject({
      code: 1,
      err: `${name} is not a setting of Latchkey. ${hint}\n`,
    });
  });

  test("but not an empty one, nor what Kubernetes sets for a service called latchkey", async () => {
    const env = {
      LATCHKEY_SIGNUP: "",
      LATCHKEY_SERVICE_HOST: "10.0.0.7",
      LATCHKEY_SERVICE_PORT: "80",
      LATCHKEY_PORT: "tcp://10.0.0.7:80",
      LATCHKEY_PORT_80_TCP_ADDR: "10.0.0.7",
    };
    expect(await migrate(env)).toMatchObject({ code: 0 });
  });
});

test.each([
  ["LATCHKEY_BINDING_REFRESH", "4m", "a duration like 500ms, 5s, 10m, 12h or 30d, from 5m to 1d"],
  ["LATCHKEY_DEVICE_BINDING", "on", "one of auto, off"],
])("Device binding has its limits: %s=%s stops the start", async (name, given, takes) => {
  expect(await migrate({ [name]: given })).toMatchObject({
    code: 1,
    err: `${name} takes ${takes} (got "${given}").\n`,
  });
});

test("A provider's TRUST_AMR takes on or off", async () => {
  const env = {
    LATCHKEY_OIDC_PROVIDERS: "google",
    LATCHKEY_OIDC_GOOGLE_CLIENT_ID: "id",
    LATCHKEY_OIDC_GOOGLE_CLIENT_SECRET: "secret",
    LATCHKEY_OIDC_GOOGLE_TRUST_AMR: "yes",
  };
  expect(await migrate(env)).toMatchObject({
    code: 1,
    err: 'LATCHKEY_OIDC_GOOGLE_TRUST_AMR takes one of on, off (got "yes").\n',
  });
});

test("A Microsoft Entra issuer has to be one tenant's: tokens of any other name a different issuer", async () => {
  const env = {
    LATCHKEY_OIDC_PROVIDERS: "entra",
    LATCHKEY_OIDC_ENTRA_CLIENT_ID: "id",
    LATCHKEY_OIDC_ENTRA_CLIENT_SECRET: "secret",
  };
  const start = (path: string) =>
    migrate({ ...env, LATCHKEY_OIDC_ENTRA_ISSUER: `https://login.microsoftonline.com/${path}` });
  const number = "0f8fad5b-d9cb-469f-a165-70867728950e";
  for (const path of ["common/v2.0", "organizations/v2.0", "acme.onmicrosoft.com/v2.0", number]) {
    const words = "takes, of Microsoft Entra, the issuer of one tenant, by its number:";
    const err = expect.stringContaining(`LATCHKEY_OIDC_ENTRA_ISSUER ${words}`);
    expect(await start(path), path).toMatchObject({ code: 1, err });
  }
  expect(await start(`${number}/v2.0`)).toMatchObject({ code: 0 });
  expect(await start(`${number}/v2.0/.well-known/openid-configuration`)).toMatchObject({ code: 0 });
  expect(await start(`${number}/v2.0/.well-known/oauth-authorization-server`)).toMatchObject({ code: 1 });
});

test("serve --help has a line for every setting of docs/settings.md, with its default", async () => {
  const { code, out } = await latchkey(["serve", "--help"], { cwd });
  expect(code).toBe(0);
  const onThePage = [...PAGE.matchAll(/^\| `([A-Z_]+)`(?:, `([A-Z_]+)`)? \|/gm)].flatMap(([, one, two]) =>
    [one ?? "", two ?? ""].filter((name) => name !== ""),
  );
  expect(onThePage.length).toBeGreaterThan(20);
  const ofOneProvider = /^LATCHKEY_OIDC_(?!PROVIDERS)/;
  expect(
    onThePage.filter((name) => !ofOneProvider.test(name) && !new RegExp(`^ +${name} `, "m").test(out)),
  ).toEqual([]);
  expect(out).toMatch(/^ +LATCHKEY_SESSION_LIFETIME +.*30d/m);
  expect(out).toContain("500ms, 5s, 10m, 12h or 30d");
});
