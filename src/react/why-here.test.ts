import { expect, test } from "vitest";
import { whyHere } from "./why-here.ts";

test.each([
  [
    "Chrome on Mac OS",
    "Your account was deleted from Chrome on Mac OS, just now. Not you? Ask whoever runs this site.",
  ],
  ["an administrator", "This account was closed. Ask whoever runs this site."],
  [undefined, "This account was closed. Ask whoever runs this site."],
])("whose account was ended by %s reads of that", (by, sentence) => {
  const at = "2026-11-03T12:00:00.000Z";
  const ending = { reason: "account_closed" as const, ...(by === undefined ? {} : { by, at }) };
  expect(whyHere(ending, Date.parse(at), 30)).toEqual({ sentence, question: null });
});

test("a device that nothing is known of has its article", () => {
  const ending = { reason: "signed_out_remotely" as const, by: "Unknown device" };
  expect(whyHere(ending, 0, 30)?.sentence).toBe("You were logged out from an unknown device.");
});

test("whose bound session ended with a sign-in elsewhere, over a copy of its cookie, reads of that sign-in and is asked", () => {
  const ending = { reason: "proof_lost" as const, by: "Firefox on Windows" };
  const why = whyHere(ending, 0, 30);
  expect(why?.sentence).toContain("Someone signed in to your account with Firefox on Windows");
  expect(why?.question).toBe("Not you?");
});
