import { expect, test } from "vitest";
import { sentence } from "./recent-activity.tsx";

const EVENT = { id: "1", at: "2026-11-03T12:00:00.000Z", label: "Safari on iOS", kind: "session_ended" };

test.each([
  [{ reason: "signed_out" }, "Safari on iOS logged out"],
  [
    { reason: "signed_out_remotely", by: "Chrome on Mac OS" },
    "Safari on iOS was logged out from Chrome on Mac OS",
  ],
  [
    { reason: "signed_out_remotely", by: "an administrator" },
    "Safari on iOS was logged out by an administrator",
  ],
  [
    { reason: "signed_out_remotely", by: "Unknown device" },
    "Safari on iOS was logged out from an unknown device",
  ],
  [{ reason: "signed_out_remotely" }, "Safari on iOS was logged out remotely"],
  [
    { reason: "password_changed", by: "Chrome on Mac OS" },
    "Safari on iOS was logged out by Chrome on Mac OS: password changed",
  ],
  [{ reason: "expired" }, "Safari on iOS was logged out: time limit reached"],
])("a session that ended with %j reads as %s", (detail, words) => {
  expect(sentence({ ...EVENT, detail })).toBe(words);
});

test("a passkey, which often has a device's name, is told from the device that added it", () => {
  const added = { ...EVENT, kind: "method_added", detail: { method: "passkey", name: "Safari on iOS" } };
  expect(sentence(added)).toBe("Login method added from Safari on iOS: passkey “Safari on iOS”");
  expect(sentence({ ...added, detail: { method: "password" } })).toBe(
    "Login method added from Safari on iOS: password",
  );
});

test("a device that nothing is known of has its article in a sentence, but not at its beginning", () => {
  const unknown = { ...EVENT, label: "Unknown device", detail: {} };
  expect(sentence({ ...unknown, kind: "signed_in" })).toBe("Signed in from an unknown device");
  expect(sentence({ ...unknown, detail: { reason: "signed_out" } })).toBe("Unknown device logged out");
});
