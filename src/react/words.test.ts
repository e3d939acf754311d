import { expect, it } from "vitest";
import { devices, othersWereLoggedOut } from "./words.ts";

it.each([
  [0, "no other device", "No other device is logged in."],
  [1, "1 other device", "1 other device was logged out."],
  [2, "2 other devices", "2 other devices were logged out."],
])("%i other devices are counted in words", (count, howMany, done) => {
  expect(devices(count)).toBe(howMany);
  expect(othersWereLoggedOut(count)).toBe(done);
});
