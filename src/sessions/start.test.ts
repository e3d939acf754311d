import { expect, test } from "vitest";
import { replacementKeyOf } from "./start.ts";

test("an older session is replaced only from a known browser on a known system, and never in a WebView", () => {
  const keyOf = (browser: string | null, os: string | null) => replacementKeyOf({ browser, os, label: "" });
  expect(keyOf("Firefox", "Windows")).toBe("Firefox|Windows");
  expect(keyOf("Firefox", null)).toBeNull();
  expect(keyOf(null, "Windows")).toBeNull();
  expect(keyOf("WebView", "Android")).toBeNull();
});
