import { expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { fuzz, MOST_GROWN } from "./fuzz.ts";
import { requestsOf } from "./requests.ts";

/** The same every time; `npm run fuzz` takes others, and a million of them. */
const SEED = 20_261_127;

test("a seed always gives the same requests, and another seed gives others", () => {
  const [one, again, other] = [requestsOf(SEED, 100), requestsOf(SEED, 100), requestsOf(SEED + 1, 100)];
  expect(again).toEqual(one);
  expect(other).not.toEqual(one);
});

describeOnEachEngine("Thousands of generated requests, to every row of the API and every page", (engine) => {
  test("get proper answers: no 500, no secret, nothing left unhandled, and the database is right", async () => {
    const { requests, faults, grown, statuses } = await fuzz({ engine, seed: SEED, requests: 5_000 });
    expect(faults).toEqual([]);
    expect(requests).toBe(5_000);
    expect(grown).toBeLessThan(MOST_GROWN);
    // They get as far as the rules: some succeed, and some are refused for each kind of reason.
    const seen = [...statuses.keys()];
    expect(seen).toEqual(
      expect.arrayContaining([200, 201, 202, 204, 302, 400, 401, 403, 404, 405, 409, 410, 413, 415, 422]),
    );
  });
});
