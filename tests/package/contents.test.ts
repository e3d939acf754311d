import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Packed, pack } from "../support/runs/package.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));

describe("The packed package", () => {
  let packed: Packed;
  let folder: string;
  beforeAll(async () => {
    packed = await pack();
    folder = mkdtempSync(join(tmpdir(), "latchkey-contents-"));
    execFileSync("tar", ["xzf", packed.file, "-C", folder, "--strip-components=1"]);
  });
  afterAll(async () => {
    await packed.remove();
    rmSync(folder, { recursive: true });
  });

  test("has what it promises: code and types of every entry point, the dashboard, the command, the migrations", () => {
    const targets = Object.values(manifest.exports as Record<string, string | Record<string, string>>)
      .flatMap((entry) => (typeof entry === "string" ? [entry] : Object.values(entry)))
      .map((path) => path.replace("./", ""));
    const others = [
      "bin/latchkey.js",
      "dist/cli/main.js",
      "dist/cli/licenses.md",
      "dist/dashboard/index.html",
      "dist/sessions/device-label/app-names.json",
      "dist/sessions/device-label/browser-names.json",
      "README.md",
      "LICENSE",
    ];
    expect(packed.contents).toEqual(expect.arrayContaining([...targets, ...others]));
    const migrations = readdirSync(join(ROOT, "src", "database", "migrations"));
    expect(packed.contents).toEqual(
      expect.arrayContaining(migrations.map((name) => `dist/database/migrations/${name}`)),
    );
  });

  test("has nothing else: no sources, no tests, no databases, no keys", () => {
    const known = [
      /^(README\.md|CHANGELOG\.md|SECURITY\.md|deploy\/(latchkey\.service|nginx\.conf)|LICENSE|package\.json|bin\/latchkey\.js)$/,
      /^dist\/.+\.(js|d\.ts|css|sql|html|svg)$/,
      /^dist\/dashboard\/(manifest\.json|.+\.(js|css|svg)\.(br|gz))$/,
      /^dist\/cli\/licenses\.md$/,
      /^dist\/sessions\/device-label\/(app|browser)-names\.json$/,
      /^docs\/[^/]+\.(md|png|svg)$/,
      /^examples\/.+(\.(js|mjs|jsx|ts|json|md|conf|cfg|lua|py|html|svelte|astro|vue)|\/Caddyfile)$/,
    ];
    const strangers = packed.contents.filter(
      (path) =>
        !known.some((pattern) => pattern.test(path)) ||
        /\.test\.|fixtures|(?<!examples\/[\w-]+\/)vite|node_modules/.test(path),
    );
    expect(strangers).toEqual([]);
  });

  test("has every page, picture and example that its pages link to", () => {
    const leads = packed.contents
      .filter((path) => path.endsWith(".md"))
      .flatMap((page) => linksOf(join(folder, page)).map((link) => join(page, "..", link)));
    expect(leads.length).toBeGreaterThan(10);
    expect(leads.filter((lead) => !existsSync(join(folder, lead)))).toEqual([]);
  });

  test("imports only files that are in it, and packages that it declares", () => {
    const named = new Set([...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies)]);
    const faults = packed.contents
      .filter((path) => /^dist\/(?!dashboard).+\.(js|d\.ts)$/.test(path))
      .flatMap((path) =>
        importsOf(join(folder, path)).flatMap((specifier) => {
          if (specifier.startsWith("node:")) return [];
          if (!specifier.startsWith(".")) {
            const name = specifier
              .split("/")
              .slice(0, specifier.startsWith("@") ? 2 : 1)
              .join("/");
            return named.has(name) ? [] : [`${path} imports ${specifier}`];
          }
          const target = join(path, "..", specifier);
          const isThere = path.endsWith(".d.ts") ? target.replace(/\.js$/, ".d.ts") : target;
          return packed.contents.includes(isThere) ? [] : [`${path} imports ${specifier}`];
        }),
      );
    expect(faults).toEqual([]);
  });

  test("doesn't install React for people who only run a server", () => {
    expect(
      Object.keys(manifest.dependencies).filter((name) => /react|express|fastify|next/.test(name)),
    ).toEqual([]);
    for (const name of Object.keys(manifest.peerDependencies)) {
      expect(manifest.peerDependenciesMeta[name]).toEqual({ optional: true });
    }
  });

  test("has a reason on file for each package that it brings", () => {
    const reasons = readFileSync(join(ROOT, "decisions", "0002-runtime-dependencies.md"), "utf8");
    expect(Object.keys(manifest.dependencies).filter((name) => !reasons.includes(`\`${name}\``))).toEqual([]);
  });
});

/** Where a page links to within the package. */
function linksOf(page: string): string[] {
  const links = [...readFileSync(page, "utf8").matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)];
  return links.map(([, link = ""]) => link);
}

function importsOf(file: string): string[] {
  const withoutComments = readFileSync(file, "utf8").replace(/^\s*(\/?\*|\/\/).*$/gm, "");
  const statement = /^(?:import|export) (?:[^"';]* from )?"([^"]+)"|\bimport\("([^"]+)"\)/gm;
  return [...withoutComments.matchAll(statement)].map(([, first, second]) => first ?? second ?? "");
}
