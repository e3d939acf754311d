import { execFile } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { npm } from "../support/runs/package.ts";
import { systemProgram } from "../support/runs/system-program.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const UNIT = join(ROOT, "deploy", "latchkey.service");
const run = promisify(execFile);

const analyze = await systemProgram("systemd-analyze", "systemd");
describe.skipIf(analyze === null)("The systemd unit", () => {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-unit-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  test("passes systemd's verification", async () => {
    const unit = join(folder, "latchkey.service");
    // Programs and documents that an installation has; here, they are elsewhere.
    const text = readFileSync(UNIT, "utf8");
    writeFileSync(unit, text.replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`));
    const { stdout, stderr } = await run(analyze ?? "", ["verify", "--man=no", unit]);
    expect(stdout + stderr).toBe("");
  });

  test("leaves an intruder in the server little of the machine, by systemd's own rating", async () => {
    copyFileSync(UNIT, join(folder, "latchkey.service"));
    const { stdout } = await run(analyze ?? "", ["security", "--offline=true", "--no-pager", UNIT]);
    expect(Number(/exposure level for latchkey\.service: ([\d.]+)/.exec(stdout)?.[1])).toBeLessThan(2);
  });
});

const nginx = await systemProgram("nginx", "nginx-light");
test.skipIf(nginx === null)("nginx accepts the configuration of compose.yaml", async () => {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-nginx-"));
  try {
    const server = readFileSync(join(ROOT, "deploy", "nginx.conf"), "utf8").replaceAll(
      "latchkey:3000",
      "127.0.0.1:3000",
    );
    const file = join(folder, "nginx.conf");
    writeFileSync(
      file,
      `pid ${folder}/pid; error_log stderr; events {} http { access_log off; client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s; ${server} }`,
    );
    const { stderr } = await run(nginx ?? "", ["-t", "-c", file, "-e", "stderr"]);
    expect(stderr).toContain("test is successful");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const compose = await systemProgram("docker-compose", "docker-compose");
test.skipIf(compose === null)(
  "compose.yaml gives Latchkey every setting of .env, but not where to listen, and as long to stop as systemd does",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "latchkey-compose-"));
    try {
      copyFileSync(join(ROOT, "compose.yaml"), join(folder, "compose.yaml"));
      const needed = "POSTGRES_PASSWORD=a\nLATCHKEY_SECRET_KEY=b\n";
      writeFileSync(join(folder, ".env"), `${needed}LATCHKEY_NAME="Acme Notes"\nPORT=4000\nHOST=127.0.0.1\n`);
      const args = ["--file", join(folder, "compose.yaml"), "config"];
      const env = { PATH: process.env.PATH, HOME: folder };
      const { stdout } = await run(compose ?? "", args, { cwd: folder, env });
      const given = /^ {2}latchkey:\n[\s\S]*?^ {4}environment:\n((?: {6}.*\n)+)/m.exec(stdout)?.[1] ?? "";
      expect(given.replaceAll(/['"]/g, "").split("\n")).toEqual(
        expect.arrayContaining([
          "      LATCHKEY_NAME: Acme Notes",
          "      PORT: 3000",
          "      HOST: 0.0.0.0",
        ]),
      );
      expect(stdout).toMatch(/^ {4}stop_grace_period: 30s$/m);
      expect(readFileSync(UNIT, "utf8")).toMatch(/^TimeoutStopSec=30s$/m);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

test("The Dockerfile has no instruction, flag or argument that Docker doesn't know", async () => {
  const lint = (file: string) => npm(["exec", "--yes", "--", "dockerfile-utils@0.16.3", "lint", file], ROOT);
  expect((await lint(join(ROOT, "Dockerfile"))).trim()).toBe("");
  const folder = mkdtempSync(join(tmpdir(), "latchkey-dockerfile-"));
  try {
    const wrong = join(folder, "Dockerfile");
    writeFileSync(wrong, "FROM node:24-slim\nHEALTHCHECK --intervall=10s CMD true\n");
    await expect(lint(wrong)).rejects.toThrow("Unknown flag: intervall");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
