import { parentPort } from "node:worker_threads";
import { ZxcvbnFactory } from "@zxcvbn-ts/core";
import * as common from "@zxcvbn-ts/language-common";
import * as english from "@zxcvbn-ts/language-en";

const estimate = new ZxcvbnFactory({
  dictionary: { ...common.dictionary, ...english.dictionary },
  graphs: common.adjacencyGraphs,
  translations: english.translations,
});

export type Question = { id: number; password: string; ownWords: string[] };
export type Judgement = { id: number; score: number; warning: string | null };

parentPort?.on("message", ({ id, password, ownWords }: Question) => {
  const { score, feedback } = estimate.check(password, ownWords);
  parentPort?.postMessage({ id, score, warning: feedback.warning ?? null } satisfies Judgement);
});
