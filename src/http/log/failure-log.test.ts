import { pino } from "pino";
import { expect, test } from "vitest";
import { readSettings } from "../../options/options.ts";
import { Busy } from "../../refusals.ts";
import { errorResponse } from "../errors.ts";
import { createFailureLog } from "./failure-log.ts";

const MOST = 100;
const MINUTE = 60_000;

/** A server whose requests fail, and the lines that it logs about them. */
function failing() {
  const lines: { msg: string; leftOut?: number }[] = [];
  const log = pino({ level: "info" }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  let at = 0;
  const settings = readSettings({ now: () => at });
  const failureLog = createFailureLog(log);
  const request = new Request("http://localhost:3000/api/session", { method: "POST" });
  return {
    lines: () => lines.map(({ msg, leftOut }) => (leftOut === undefined ? msg : `${msg} ${leftOut}`)),
    fail(error: Error, times: number) {
      for (let time = 0; time < times; time++) errorResponse({ settings, log, failureLog }, error, request);
    },
    aMinuteLater() {
      at += MINUTE;
      failureLog.tellLeftOut(at);
    },
  };
}

test("of a flood that can't be served, 100 lines a minute are logged, and then how many were left out", () => {
  const { lines, fail, aMinuteLater } = failing();
  fail(new Busy("Too many wait."), MOST + 40);
  expect(lines()).toEqual(Array(MOST).fill("Not available."));
  aMinuteLater();
  expect(lines().slice(MOST)).toEqual(["Not available. More of these than are logged. 40"]);
  fail(new Busy("Too many wait."), 1);
  expect(lines().slice(MOST + 1)).toEqual(["Not available."]);
});

test("such a flood hides no fault of another kind", () => {
  const { lines, fail } = failing();
  fail(new Busy("Too many wait."), MOST + 1);
  fail(new Error("A bug."), 1);
  expect(lines().slice(MOST)).toEqual(["A request failed."]);
});
