import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { PASSWORD } from "../support/requests/people.ts";
import { latchkey } from "../support/servers/command-line.ts";

const ENTRY = join(import.meta.dirname, "..", "..", "src", "index.ts");

let cwd = "";
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "latchkey-config-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

/** Where the link of the newest email leads. */
function linkOf(): string | undefined {
  const folder = join(cwd, "latchkey-data", "outbox");
  const newest = readdirSync(folder).sort().at(-1) ?? "";
  return /http\S+\/reset-password/.exec(
    readFileSync(join(folder, newest), "utf8").replaceAll("=\r\n", ""),
  )?.[0];
}

async function sendReset(env: Record<string, string> = {}): Promise<string | undefined> {
  const email = "a@example.com";
  await latchkey(["accounts", "create", email, "--password-stdin"], { cwd, env, input: PASSWORD });
  expect(await latchkey(["accounts", "send-reset", email], { cwd, env })).toMatchObject({ code: 0 });
  return linkOf();
}

describe("What an app and the command line both read from latchkey.config", () => {
  test.each([
    ["ts", 'const baseUrl: string = "http://localhost:3105/auth";\nexport default { baseUrl };\n'],
    ["js", 'export default { baseUrl: "http://localhost:3105/auth" };\n'],
    ["json", '{ "baseUrl": "http://localhost:3105/auth" }\n'],
  ])("in .%s decides where links lead", async (ending, text) => {
    writeFileSync(join(cwd, "package.json"), '{ "type": "module" }');
    writeFileSync(join(cwd, `latchkey.config.${ending}`), text);
    expect(await sendReset()).toBe("http://localhost:3105/auth/reset-password");
    const app = `import { createLatchkey } from ${JSON.stringify(ENTRY)}; const latchkey = await createLatchkey({ logLevel: "silent" }); console.log(latchkey.settings.baseUrl.href); await latchkey.close();`;
    expect(
      execFileSync(process.execPath, ["--input-type=module", "--eval", app], {
        cwd,
        encoding: "utf8",
      }).trim(),
    ).toBe("http://localhost:3105/auth");
  });

  test("tells an app without a mail server once, in its log, where its emails go", async () => {
    const app = (options: string) =>
      `import { createLatchkey } from ${JSON.stringify(ENTRY)}; const latchkey = await createLatchkey(${options}); await latchkey.close();`;
    const logOf = (options: string) =>
      spawnSync(process.execPath, ["--input-type=module", "--eval", app(options)], { cwd, encoding: "utf8" })
        .stderr.split("\n")
        .filter((line) => line.includes("SMTP_URL"));
    writeFileSync(join(cwd, "latchkey.config.json"), '{ "baseUrl": "http://localhost:3105/auth" }');
    const outbox = join(cwd, "latchkey-data", "outbox");
    expect(logOf("{}").map((line) => JSON.parse(line).msg)).toEqual([
      `SMTP_URL is not set: emails are written to ${outbox}; this log has their links, and http://localhost:3105/auth/dev/emails shows them, unless a proxy, a container or Next.js is in between`,
    ]);
    expect(logOf('{ smtpUrl: "smtp://localhost:2525" }')).toEqual([]);
  });

  test("applies if the app's option is undefined, such as an environment variable that isn't set", async () => {
    writeFileSync(join(cwd, "latchkey.config.json"), '{ "baseUrl": "http://localhost:3105/auth" }');
    const app = `import { createLatchkey } from ${JSON.stringify(ENTRY)}; const latchkey = await createLatchkey({ logLevel: "silent", baseUrl: process.env.NOT_SET }); console.log(latchkey.settings.baseUrl.href); await latchkey.close();`;
    const said = execFileSync(process.execPath, ["--input-type=module", "--eval", app], {
      cwd,
      encoding: "utf8",
    });
    expect(said.trim()).toBe("http://localhost:3105/auth");
  });

  test.each(["ts", "js"])("in .%s of a CommonJS package stops with what to write there", async (ending) => {
    writeFileSync(join(cwd, "package.json"), '{ "type": "commonjs" }');
    writeFileSync(
      join(cwd, `latchkey.config.${ending}`),
      'export default { baseUrl: "http://localhost:1" };',
    );
    const { code, err } = await latchkey(["migrate"], { cwd });
    expect([code, err]).toEqual([
      1,
      expect.stringContaining('Set "type": "module" in package.json, or write module.exports = { … }'),
    ]);
    writeFileSync(
      join(cwd, `latchkey.config.${ending}`),
      'module.exports = { baseUrl: "http://localhost:1" };',
    );
    expect(await latchkey(["migrate"], { cwd })).toMatchObject({ code: 0 });
  });

  test.each(["mjs", "cjs", "mts", "cts"])("isn't silently ignored as .%s", async (ending) => {
    writeFileSync(join(cwd, `latchkey.config.${ending}`), "");
    const { code, err } = await latchkey(["migrate"], { cwd });
    expect([code, err]).toEqual([
      1,
      `latchkey.config.${ending} isn't read. Name it latchkey.config.ts, .js or .json.\n`,
    ]);
  });

  test("gives way to the environment", async () => {
    writeFileSync(join(cwd, "latchkey.config.json"), '{ "baseUrl": "http://localhost:3105/auth" }');
    expect(await sendReset({ BASE_URL: "http://localhost:4000" })).toBe(
      "http://localhost:4000/reset-password",
    );
  });

  test.each([
    ["latchkey.config.json", "{", "latchkey.config.json can't be read"],
    [
      "latchkey.config.js",
      "export const baseUrl = 1;",
      "latchkey.config.js must export an object of options",
    ],
    ["latchkey.config.json", "[]", "latchkey.config.json must export an object of options"],
    [
      "latchkey.config.json",
      '{ "oidc": [{ "clientId": "id", "clientSecret": "secret" }] }',
      "LATCHKEY_OIDC_PROVIDERS takes",
    ],
    ["latchkey.config.json", '{ "baseURL": "x" }', "baseURL is an unknown option; did you mean baseUrl?"],
  ])("%s with %j stops in one line", async (name, text, sentence) => {
    writeFileSync(join(cwd, "package.json"), '{ "type": "module" }');
    writeFileSync(join(cwd, name), text);
    const { code, err } = await latchkey(["migrate"], { cwd });
    expect(code).toBe(1);
    expect(err).toContain(sentence);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
  });
});

describe("If nothing says what the base URL is", () => {
  test("a command that emails a link says where it leads, and how to change that", async () => {
    const email = "a@example.com";
    await latchkey(["accounts", "create", email, "--password-stdin"], { cwd, input: PASSWORD });
    const { code, err } = await latchkey(["accounts", "send-reset", email], { cwd });
    expect([code, err]).toEqual([
      0,
      "BASE_URL is not set: the link leads to http://localhost:3000. For an app of yours, put its baseUrl into latchkey.config.js in this folder.\n",
    ]);
    const env = { BASE_URL: "http://localhost:3000" };
    expect(await latchkey(["accounts", "send-reset", email], { cwd, env })).toMatchObject({ err: "" });
  });
});
