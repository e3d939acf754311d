import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { Reporter, TestModule, Vitest } from "vitest/node";

const ROOT = join(import.meta.dirname, "..", "..", "..");

/** A promise's number, its text, and the test files that show it. */
type Promised = { number: string; words: string; tests: string[] };

/**
 * Says at the end of a run, in one line for each failed test, which promise broke: docs/promises.md names the
 * tests of each, and a title may name a promise itself, as in "(S12)". Also says which tests were not run
 * because this machine lacks what they need. Comes after the default reporter, so that its summary is above.
 */
export default class PromiseReporter implements Reporter {
  #isNarrowed = false;

  /** With `-t` most tests are skipped on purpose. */
  onInit({ config }: Vitest): void {
    this.#isNarrowed = config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const promises = readPromises();
    const lines = modules.flatMap((module) => linesOf(module, promises));
    const skipped = this.#isNarrowed ? [] : modules.flatMap(skippedOf);
    for (const said of [skipped, lines]) if (said.length > 0) console.error(`\n${said.join("\n")}\n`);
  }
}

function skippedOf(module: TestModule): string[] {
  const titles = [...module.children.allTests("skipped")].map((test) => test.fullName);
  return titles.map((title) => `NOT RUN: ${relative(ROOT, module.moduleId)} › ${title}`);
}

function linesOf(module: TestModule, promises: Promised[]): string[] {
  if (module.state() !== "failed") return [];
  const file = relative(ROOT, module.moduleId);
  const shown = promises.filter(({ tests }) => tests.includes(file));
  const titles = [...module.children.allTests("failed")].map((test) => test.fullName);
  return (titles.length > 0 ? titles : ["could not be run"]).map((title) => {
    const named = promises.filter(({ number }) => new RegExp(`\\b${number}\\b`).test(title));
    const broken = named.length > 0 ? named : shown;
    const what = broken.map(({ number, words }) => `${number} (${words})`).join(" or ");
    return `${what === "" ? "Failed" : `Broken promise ${what}`}: ${file} › ${title}`;
  });
}

function readPromises(): Promised[] {
  const text = readFileSync(join(ROOT, "docs/promises.md"), "utf8");
  return [...text.matchAll(/^\| ([SB]\d+) \| (.*?)\.? \|.*\|(.*)\|$/gm)].map(
    ([, number = "", words = "", tests = ""]) => ({
      number,
      words,
      tests: [...tests.matchAll(/`([^`]+)`/g)].map(([, file = ""]) => file),
    }),
  );
}
