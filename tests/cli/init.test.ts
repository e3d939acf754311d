import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SETTINGS } from "../../src/options/table.ts";
import { latchkey } from "../support/servers/command-line.ts";

let cwd = "";
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "latchkey-init-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

test("init writes a .env that lists every setting and sets none, readable by its owner alone, and never overwrites one", async () => {
  expect(await latchkey(["init"], { cwd })).toMatchObject({ code: 0, err: "" });
  const file = join(cwd, ".env");
  const text = readFileSync(file, "utf8");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(parseEnv(text)).toEqual({});
  expect(Object.keys(parseEnv(text.replace(/^#(?=[A-Z])/gm, ""))).sort()).toEqual(
    SETTINGS.map(({ variable }) => variable).sort(),
  );
  expect(await latchkey(["migrate"], { cwd })).toMatchObject({ code: 0 });
  expect(await latchkey(["init"], { cwd })).toEqual({
    code: 1,
    out: "",
    err: "There is a .env already; nothing was changed.\n",
  });
  expect(readFileSync(file, "utf8")).toBe(text);
});
