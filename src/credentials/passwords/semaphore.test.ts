import { expect, test } from "vitest";
import { Busy } from "../../refusals.ts";
import { createSemaphore } from "./semaphore.ts";

const LONG = 60_000;

/** A job that runs until it is told to end. */
function endless() {
  let end = () => {};
  const done = new Promise<void>((resolve) => {
    end = resolve;
  });
  let begun = false;
  return {
    work: () => {
      begun = true;
      return done;
    },
    end: () => end(),
    get begun() {
      return begun;
    },
  };
}

test("so much work runs at once, and the rest in the order in which it came", async () => {
  const semaphore = createSemaphore(2, LONG, "busy");
  const [first, second, third] = [endless(), endless(), endless()];
  const all = [first, second, third].map(({ work }) => semaphore.run(work));
  expect([first.begun, second.begun, third.begun]).toEqual([true, true, false]);
  second.end();
  await all[1];
  await expect.poll(() => third.begun).toBe(true);
  first.end();
  third.end();
  await Promise.all(all);
});

test("work whose turn doesn't come in time is refused, never begun, and leaves the line", async () => {
  const semaphore = createSemaphore(1, 20, "busy", 1);
  const [running, waiting, next] = [endless(), endless(), endless()];
  const done = semaphore.run(running.work);
  await expect(semaphore.run(waiting.work)).rejects.toThrow(Busy);
  const after = semaphore.run(next.work);
  running.end();
  await done;
  await expect.poll(() => next.begun).toBe(true);
  next.end();
  await after;
  expect(waiting.begun).toBe(false);
});

test("work that comes to a full line is refused at once", async () => {
  const semaphore = createSemaphore(1, LONG, "busy", 1);
  const [running, waiting, refused] = [endless(), endless(), endless()];
  const both = [semaphore.run(running.work), semaphore.run(waiting.work)];
  await expect(semaphore.run(refused.work)).rejects.toThrow(Busy);
  running.end();
  waiting.end();
  await Promise.all(both);
  expect(refused.begun).toBe(false);
});

test("no line is longer than a thousand", async () => {
  const semaphore = createSemaphore(1, LONG, "busy");
  const running = endless();
  const all = Array.from({ length: 1_001 }, () => semaphore.run(running.work));
  const oneMore = semaphore.run(async () => "begun");
  running.end();
  await expect(oneMore).rejects.toThrow(Busy);
  await Promise.all(all);
});

test("work that fails makes room for the next, and a free semaphore says so", async () => {
  const semaphore = createSemaphore(1, LONG, "busy");
  let freed = 0;
  semaphore.onFree(() => {
    freed += 1;
  });
  await expect(semaphore.run(() => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  await expect.poll(() => freed).toBe(1);
  expect(await semaphore.run(async () => 7)).toBe(7);
});
