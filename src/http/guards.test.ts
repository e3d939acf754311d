import { expect, test } from "vitest";
import { joinUpTo, LARGEST_BODY } from "./guards.ts";

/** Yields a text byte by byte in the same buffer, so that a piece kept without copying is overwritten. */
async function* bytesInOnePlace(text: string): AsyncGenerator<Uint8Array> {
  const piece = new Uint8Array(1);
  for (const byte of Buffer.from(text)) {
    piece[0] = byte;
    yield piece;
  }
}

test("of a body that comes in pieces of a byte, none is kept", async () => {
  const text = "0123456789".repeat(500);
  expect((await joinUpTo(bytesInOnePlace(text), LARGEST_BODY))?.toString()).toBe(text);
});

test("a body is read up to the limit, and not beyond", async () => {
  const exact = "x".repeat(100);
  expect((await joinUpTo(bytesInOnePlace(exact), 100))?.toString()).toBe(exact);
  expect(await joinUpTo(bytesInOnePlace(`${exact}y`), 100)).toBeNull();
  expect(await joinUpTo(bytesInOnePlace(""), 100)).toEqual(Buffer.alloc(0));
});
