import { parentPort } from "node:worker_threads";
import { ZxcvbnFactory } from "@zxcvbn-ts/core";
import * as common from "@zxcvbn-ts/language-common";
import * as english from "@zxcvbn-ts/language-en";

/**
 * How many readings of letters written as digits and signs are looked up, the most likely first. Each costs
 * as much as all the rest; the library's 100 make one hostile password of 20 characters take half a second.
 */
const READINGS = 4;

const estimate = new ZxcvbnFactory({
  dictionary: { ...common.dictionary, ...english.dictionary },
  graphs: common.adjacencyGraphs,
  translations: english.translations,
  l33tMaxSubstitutions: READINGS,
});

export type Question = { password: string; ownWords: string[] };
export type Judgement = { score: number; warning: string | null };

parentPort?.on("message", ({ password, ownWords }: Question) => {
  const { score, feedback } = estimate.check(password, ownWords);
  parentPort?.postMessage({ score, warning: feedback.warning ?? null } satisfies Judgement);
});
