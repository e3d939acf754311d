import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { serve } from "../support/command-line.ts";
import { exchange } from "../support/exchange.ts";
import { freePort } from "../support/free-port.ts";

describe("A BASE_URL that isn't the address people use", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "latchkey-base-url-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** What a server warns of while `use` is going on, one line each. */
  async function warningsOf(
    env: Record<string, string>,
    use: (port: number) => Promise<unknown> = async () => {},
  ) {
    const port = await freePort();
    const running = serve({
      cwd: folder,
      env: { PORT: String(port), SMTP_URL: "smtp://127.0.0.1:9", ...env },
    });
    let log = "";
    const { child, stop } = await running;
    child.stderr?.on("data", (chunk: Buffer) => {
      log += chunk.toString();
    });
    await use(port);
    const closed = child.stderr ? once(child.stderr, "close") : undefined;
    await stop();
    await closed;
    return log.split("\n").filter((line) => line.includes("BASE_URL"));
  }

  const signIn = (port: number, origin: string) =>
    exchange({
      port,
      method: "POST",
      path: "/api/session",
      headers: { Host: new URL(origin).host, Origin: origin, "Content-Type": "application/json" },
      body: JSON.stringify({ email: "ada@example.test", password: "no-such-password-here" }),
    });

  test("that is https while the browser is at http refuses the sign-in in words, and warns once", async () => {
    const origin = "http://app.example.test";
    const answers: string[] = [];
    const warnings = await warningsOf({ BASE_URL: "https://app.example.test" }, async (port) => {
      for (let turn = 0; turn < 3; turn++) answers.push((await signIn(port, origin)).text);
    });
    expect(JSON.parse(answers[0] ?? "")).toMatchObject({
      code: "cross_site",
      detail: `Latchkey answers to https://app.example.test (BASE_URL); this came from ${origin}.`,
    });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(`A browser uses Latchkey at ${origin}`);
    expect(warnings[0]).toContain("Set BASE_URL to the address that people use");
  });

  test("warns of nothing where another site's page sends a request", async () => {
    const warnings = await warningsOf({ BASE_URL: "https://app.example.test" }, (port) =>
      exchange({
        port,
        method: "POST",
        path: "/api/session",
        headers: {
          Host: "app.example.test",
          Origin: "https://evil.test",
          "Content-Type": "application/json",
        },
        body: "{}",
      }),
    );
    expect(warnings).toEqual([]);
  });
});
