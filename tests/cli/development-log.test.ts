import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Client } from "../support/requests/client.ts";
import { expectStatus, PASSWORD } from "../support/requests/people.ts";
import { serve } from "../support/servers/command-line.ts";
import { freePort } from "../support/servers/free-port.ts";

let cwd = "";
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "latchkey-development-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

/** What a server logs from its start on, while someone signs up. */
async function logOf(env: Record<string, string>): Promise<string> {
  const port = await freePort();
  const baseUrl = env.BASE_URL ?? `http://localhost:${port}`;
  const server = await serve({ cwd, env: { PORT: String(port), ...env } });
  let log = "";
  server.child.stderr?.on("data", (chunk: Buffer) => {
    log += chunk.toString();
  });
  const client = new Client({ baseUrl, port });
  const account = { email: "someone@example.com", password: PASSWORD };
  expectStatus(201, await client.post("/api/accounts", account));
  const ended = once(server.child.stderr ?? server.child, "close");
  await server.stop();
  await ended;
  return log;
}

test("In development, the start says where emails go, and the log has each email's subject and link", async () => {
  const log = await logOf({});
  expect(log).toContain(`SMTP_URL is not set: emails are written to ${join(cwd, "latchkey-data", "outbox")}`);
  expect(log).toContain("/dev/emails");
  const lines = log.split("\n").filter((line) => line.includes("Confirm your email address"));
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? "").link).toMatch(/^http:\/\/localhost:\d+\/confirm-email#token=/);
});

test("Every line of a server's standard error is JSON, as log collectors need it", async () => {
  const lines = (await logOf({})).split("\n").filter((line) => line !== "");
  const words = lines.map((line) => JSON.parse(line).msg);
  expect(words).toContainEqual(expect.stringMatching("^SMTP_URL is not set"));
});

test("Anywhere else, no link of an email is ever in the log", async () => {
  const log = await logOf({ BASE_URL: "https://localhost" });
  expect(log).toContain("SMTP_URL is not set: emails are written to");
  expect(log).not.toMatch(/token|Confirm your email|dev\/emails/);
});
