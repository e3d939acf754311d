import { expect, test } from "vitest";
import { createPasswordStrength } from "./password-strength.ts";

test("closing one leaves the thread to the others, and a new one can be opened after the last", async () => {
  const judges = (strength: ReturnType<typeof open>) => strength.whyWeak("quartz-Lantern-burrow-58", []);
  const open = () => createPasswordStrength(12, [], null);
  const [one, other] = [open(), open()];
  expect(await judges(one)).toBeNull();
  await one.close();
  expect(await judges(other)).toBeNull();
  await other.close();
  const later = open();
  expect(await judges(later)).toBeNull();
  await later.close();
});
