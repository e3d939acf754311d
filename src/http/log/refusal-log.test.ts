import { expect, test } from "vitest";
import { createRefusalLog, type RefusedRequest } from "./refusal-log.ts";

const SECOND = 1_000;
const MOST = 100;

const REFUSED: RefusedRequest = {
  code: "wrong_credentials",
  method: "POST",
  route: "/api/session",
  network: () => ({ of: "203.0.113.7", generous: false }),
  account: undefined,
};

/** A log whose lines can be read. */
function logged() {
  const lines: object[] = [];
  const refusalLog = createRefusalLog({ info: (line: object) => lines.push(line) });
  const flood = (times: number, now: number) => {
    for (let time = 0; time < times; time++) refusalLog.note(REFUSED, now);
  };
  return { lines, refusalLog, flood };
}

const LINE = { refused: "wrong_credentials", method: "POST", route: "/api/session", network: "203.0.113.7" };

test("of a flood, 100 refusals a minute are logged, and then how many were left out", () => {
  const { lines, refusalLog, flood } = logged();
  const start = Date.UTC(2026, 10, 27);
  flood(MOST + 40, start);
  flood(2, start + 59 * SECOND);
  expect(lines).toEqual(Array(MOST).fill(LINE));
  refusalLog.tellLeftOut(start + 59 * SECOND);
  expect(lines).toHaveLength(MOST);
  flood(1, start + 60 * SECOND);
  expect(lines.slice(MOST)).toEqual([{ leftOut: 42 }, LINE]);
  refusalLog.tellLeftOut(start + 200 * SECOND);
  expect(lines).toHaveLength(MOST + 2);
});

test("what was left out is told when its minute is over, though nothing else is refused", () => {
  const { lines, refusalLog, flood } = logged();
  flood(MOST + 1, 0);
  refusalLog.tellLeftOut(60 * SECOND);
  expect(lines.slice(MOST)).toEqual([{ leftOut: 1 }]);
});

test("a clock that steps back keeps nothing out of the log", () => {
  const { lines, flood } = logged();
  flood(MOST + 1, 3_600 * SECOND);
  flood(1, 0);
  expect(lines.slice(MOST)).toEqual([{ leftOut: 1 }, LINE]);
});
