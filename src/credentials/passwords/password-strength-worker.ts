import { parentPort } from "node:worker_threads";
import { ZxcvbnFactory } from "@zxcvbn-ts/core";
import * as common from "@zxcvbn-ts/language-common";
import * as english from "@zxcvbn-ts/language-en";

/**
 * How many readings of letters written as digits and symbols are looked up, the most likely first, for a
 * password of up to so many UTF-16 units. Each costs as much as all the rest, and that grows with the square
 * of the length; the library's 100 make one hostile password of 20 characters take half a second.
 */
const SHORT = { upTo: 16, readings: 16 };
const LONG = { readings: 4 };

/** Each makes tables of the dictionaries, which takes a quarter of a second: only what is asked for. */
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
