import { expect, it } from "vitest";
import { devices, othersWereLoggedOut, recoveryCodesLeft } from "./words.ts";

it.each([
  [0, "no other device", "No other device is logged in."],
  [1, "1 other device", "1 other device was logged out."],
  [2, "2 other devices", "2 other devices were logged out."],
])("%i other devices are counted in words", (count, howMany, done) => {
  expect(devices(count)).toBe(howMany);
  expect(othersWereLoggedOut(count)).toBe(done);
});

it.each([
  [10, "10 of 10 recovery codes are left."],
  [4, "4 of 10 recovery codes are left."],
  [3, "Only 3 of 10 recovery codes are left. Make new ones."],
  [1, "Only 1 of 10 recovery codes is left. Make new ones."],
  [0, "No recovery codes are left. Make new ones now."],
])("%i recovery codes are counted, and new ones recommended where they are few", (left, words) => {
  expect(recoveryCodesLeft(left)).toBe(words);
});
