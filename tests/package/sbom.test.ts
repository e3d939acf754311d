import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..");

type Sbom = {
  bomFormat: string;
  components: { name: string; version: string; properties?: { name: string; value: string }[] }[];
};

test("npm run sbom lists, as CycloneDX, whatever the package brings along, and marks what only builds and tests it", async () => {
  const run = promisify(execFile);
  const { stdout } = await run("npm", ["run", "--silent", "sbom"], {
    cwd: ROOT,
    maxBuffer: 16 * 1024 * 1024,
  });
  const { bomFormat, components }: Sbom = JSON.parse(stdout);
  expect(bomFormat).toBe("CycloneDX");
  const isMarked = (name: string) => {
    const found = components.filter((one) => one.name === name);
    const marks = found.map(({ properties = [] }) =>
      properties.some(
        (property) => property.name === "cdx:npm:package:development" && property.value === "true",
      ),
    );
    return found.length === 0 ? "missing" : marks.every(Boolean);
  };
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  expect(Object.keys(dependencies).filter((name) => isMarked(name) !== false)).toEqual([]);
  expect(Object.keys(devDependencies)).toContain("vitest");
  expect(isMarked("vitest")).toBe(true);
  for (const { name, version } of components) expect(version, name).toMatch(/^\d+\.\d+\.\d+/);
});
