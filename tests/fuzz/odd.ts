import fc from "fast-check";

/** What some part of a server might choke on: a database, a header, a log, a parser, a regular expression. */
const HOSTILE = [
  "",
  " ",
  "\u0000",
  "a\u0000b",
  "\ud800",
  "\udc00x",
  "\u202eevil",
  "\ufeff{}",
  "é".normalize("NFD"),
  "𝒳".repeat(64),
  "\u0301".repeat(500),
  "\r\nSet-Cookie: latchkey=x",
  "a@example.test\r\nBcc: b@example.test",
  "a@example.test,b@example.test",
  '"a@evil.test"@example.test',
  "'; drop table session; -- \" \\",
  "1 or 1=1",
  "%00%ff%zz",
  "../../../../etc/passwd",
  "<script>alert(1)</script>",
  `\${7*7}{{7*7}}`,
  "__proto__",
  "constructor",
  "NaN",
  "-0",
  "1e999",
  "9".repeat(400),
  "x".repeat(5_000),
  "(".repeat(2_000),
  "a@".repeat(2_000),
];

/** Placeholders for what means something to the server, filled in when the request is sent. */
export const PLACES = [
  "email",
  "victimEmail",
  "freshEmail",
  "password",
  "canary",
  "session",
  "otherSession",
  "victimSession",
  "account",
  "victimAccount",
  "method",
  "event",
  "token",
  "verifyLink",
  "resetLink",
  "code",
  "recoveryCode",
  "newPassword",
] as const;
export type Place = (typeof PLACES)[number];

/** How a placeholder is written; no generated text contains these brackets. */
export const placeOf = (place: Place) => `«${place}»`;
const anyPlace = fc.constantFrom(...PLACES).map(placeOf);

/** Something else once in this many times. */
export function seldom<T>(oneIn: number, other: fc.Arbitrary<T>, usual: T): fc.Arbitrary<T> {
  return fc.oneof({ weight: oneIn - 1, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: other });
}

/** What may be part of a URL: no secret, since the answer may repeat what was asked for. */
const publicPlace = fc
  .constantFrom<Place>(
    "email",
    "session",
    "otherSession",
    "victimSession",
    "victimAccount",
    "method",
    "event",
  )
  .map(placeOf);

/** Any characters at all, including unpaired surrogates. */
const anyText = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0x10ffff }), fc.integer({ min: 0, max: 0x2ff })), {
    maxLength: 40,
  })
  .map((points) => String.fromCodePoint(...points));

export const oddText = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...HOSTILE) },
  { weight: 3, arbitrary: anyPlace },
  { weight: 3, arbitrary: anyText },
  { weight: 1, arbitrary: fc.emailAddress() },
);

/** Values of every shape, including keys of object prototypes. */
export const oddValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 5, arbitrary: oddText },
  {
    weight: 2,
    arbitrary: fc.constantFrom<unknown>(null, true, false, 0, -1, 5, 1e308, 2 ** 53, 0.1, [], {}),
  },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>({ $ne: 1 }, { length: 5 }, { toString: 1 }, [[]], ["a"], {
      constructor: { prototype: {} },
    }),
  },
);

/** The printable part of Latin-1, all that a header can carry. */
const headerChar = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0x20, max: 0x7e }) },
  { weight: 1, arbitrary: fc.integer({ min: 0xa0, max: 0xff }) },
);
export const oddHeader = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.array(headerChar, { maxLength: 40 }).map((codes) => String.fromCharCode(...codes)),
  },
  { weight: 2, arbitrary: publicPlace },
  {
    weight: 1,
    arbitrary: fc.constantFrom("", "null", "*", ",", ";", "=", '"', "x".repeat(3_000), "[::1", "999.1.1.1"),
  },
);

/** A part of a path or query, as it is on the wire. */
export const oddPart = fc.oneof(
  { weight: 3, arbitrary: publicPlace },
  { weight: 3, arbitrary: fc.constantFrom(...HOSTILE).map(encode) },
  { weight: 1, arbitrary: anyText.map(encode) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "%",
      "%zz",
      "%ED%A0%80",
      "%C0%AE%C0%AE",
      "..",
      ".",
      "%2e%2e",
      "%2f",
      ";x=1",
      "~",
      "*",
    ),
  },
);

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
