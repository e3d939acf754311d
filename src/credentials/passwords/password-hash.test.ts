import { expect, test } from "vitest";
import { hashesAtOnce } from "./password-hash.ts";

test.each([
  { cores: 2, pool: 4, atOnce: 2 },
  { cores: 4, pool: 4, atOnce: 3 },
  { cores: 64, pool: 4, atOnce: 3 },
  { cores: 64, pool: 68, atOnce: 64 },
  { cores: 1, pool: 1, atOnce: 1 },
])(
  "On $cores cores and $pool threads of Node's, $atOnce passwords are hashed at once, and a thread is left to others",
  ({ cores, pool, atOnce }) => {
    expect(hashesAtOnce(cores, pool)).toBe(atOnce);
  },
);
