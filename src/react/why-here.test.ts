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
