import { parentPort } from "node:worker_threads";
import { ZxcvbnFactory } from "@zxcvbn-ts/core";
import * as common from "@zxcvbn-ts/language-common";
import * as english from "@zxcvbn-ts/language-en";

/**
 * How many l33t substitutions (digits and symbols read as letters) are tried, the most likely first; `upTo`
 * is the password's length in UTF-16 units. Each one repeats the whole estimate, whose time grows with the
 * square of the length. With the library's default of 100, a hostile password of 20 characters takes half a
 * second.
 */
const SHORT = { upTo: 16, readings: 16 };
const LONG = { readings: 4 };

/** Made only when needed: each builds tables of the dictionaries, which takes a quarter of a second. */
const estimators = new Map<number, ZxcvbnFactory>();

function estimatorOf(readings: number): ZxcvbnFactory {
  const estimator = estimators.get(readings) ?? makeEstimator(readings);
  estimators.set(readings, estimator);
  return estimator;
}

function makeEstimator(l33tMaxSubstitutions: number): ZxcvbnFactory {
  return new ZxcvbnFactory({
    dictionary: { ...common.dictionary, ...english.dictionary },
    graphs: common.adjacencyGraphs,
    translations: english.translations,
    l33tMaxSubstitutions,
  });
}

export type Question = { password: string; ownWords: string[] };
export type Judgement = { score: number; warning: string | null };

parentPort?.on("message", ({ password, ownWords }: Question) => {
  const { readings } = password.length <= SHORT.upTo ? SHORT : LONG;
  const { score, feedback } = estimatorOf(readings).check(password, ownWords);
  parentPort?.postMessage({ score, warning: feedback.warning ?? null } satisfies Judgement);
});
