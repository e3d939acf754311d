import fc from "fast-check";
import { oddText, oddValue, type Place, placeOf, seldom } from "./odd.ts";

/** Text, bytes that aren't text, or no body at all. */
export type Body = string | Uint8Array | null;

const MOST = 64 * 1024;

/** What would be valid in a field, by its name. */
const RIGHT: Record<string, Place[]> = {
  email: ["email", "victimEmail", "freshEmail"],
  password: ["password", "canary", "newPassword"],
  currentPassword: ["password", "canary"],
  newPassword: ["newPassword", "password", "canary"],
  token: ["verifyLink", "resetLink", "canary", "token"],
  code: ["code", "canary"],
  recoveryCode: ["recoveryCode", "canary"],
};

const JUNK: Body[] = [
  "",
  "{",
  "null",
  "[]",
  '"text"',
  "0",
  "{}x",
  "{'email':1}",
  '{"email":NaN}',
  '\ufeff{"email":"a"}',
  '{"email":"a","email":"b"}',
  '{"__proto__":{"twoFactor":true,"email":"a"},"email":"a@example.test","password":"x"}',
  '{"constructor":{"prototype":{"ok":true}},"token":"x"}',
  '{"toString":null,"valueOf":null,"hasOwnProperty":1}',
  '{"email":"\\ud800","password":"\\u0000","token":"\\udfff"}',
  "email=a%40example.test&password=x",
  new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]),
  new Uint8Array([0xef, 0xbb, 0xbf, 0x7b, 0x7d]),
  new Uint8Array(300),
];

/** As large as a body may be, and a little larger; as deeply nested as such a body can be. */
const HUGE: Body[] = [
  `{"email":"${"a".repeat(MOST - 12)}"}`,
  `{"email":"${"a".repeat(MOST - 11)}"}`,
  `{"email":"${"a@".repeat(30_000)}"}`,
  "[".repeat(60_000),
  `{"passkey":${"[".repeat(30_000)}${"]".repeat(30_000)}}`,
  `{"passkey":${'{"a":'.repeat(9_000)}1${"}".repeat(9_000)},"email":"a@example.test"}`,
  `{${Array.from({ length: 5_000 }, (_, at) => `"k${at}":1`).join(",")}}`,
  `{"email":"a@example.test","password":"${"𝒳".repeat(16_000)}"}`,
  `{"email":"a@example.test","password":"${"a".repeat(60_000)}"}`,
];

/** A passkey's answer, in pieces that are there, missing or odd. */
const passkey = fc.record(
  {
    id: oddText,
    rawId: oddText,
    type: fc.constantFrom("public-key", "x"),
    clientExtensionResults: oddValue,
    response: fc.oneof(
      oddValue,
      fc.record(
        {
          clientDataJSON: fc.oneof(
            oddText,
            fc.constantFrom("e30", "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0In0", "bnVsbA"),
          ),
          attestationObject: fc.oneof(oddText, fc.base64String({ maxLength: 200 })),
          authenticatorData: fc.oneof(oddText, fc.base64String({ maxLength: 200 })),
          signature: oddText,
          userHandle: oddText,
          transports: oddValue,
        },
        { requiredKeys: [] },
      ),
    ),
  },
  { requiredKeys: [] },
);

/** A body for a row with these fields: as it should be, with something wrong in it, or unreadable. */
export function bodyFor(fields: readonly string[]): fc.Arbitrary<Body> {
  const shaped = fc
    .tuple(
      fc.record(Object.fromEntries(fields.map((name) => [name, fieldOf(name)]))),
      fc.subarray([...fields]),
      fc.boolean(),
      seldom<Record<string, unknown>>(8, fc.dictionary(oddText, oddValue, { maxKeys: 3 }), {}),
    )
    .map(([all, some, isWhole, more]) => {
      const kept = isWhole ? all : Object.fromEntries(some.map((name) => [name, all[name]]));
      return JSON.stringify({ ...kept, ...more });
    });
  const cut = fc.tuple(shaped, fc.nat()).map(([text, at]) => text.slice(0, at % (text.length + 1)));
  return fc.oneof(
    { weight: fields.length > 0 ? 40 : 2, arbitrary: shaped },
    { weight: 4, arbitrary: fc.constantFrom<Body>(...JUNK) },
    { weight: 2, arbitrary: cut },
    { weight: 2, arbitrary: fc.json({ maxDepth: 3 }) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 50 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 39 }).chain(hugeOrNone) },
    { weight: fields.length > 0 ? 3 : 40, arbitrary: fc.constant(null) },
  );
}

/** Rarely, since huge ones take long. */
function hugeOrNone(at: number): fc.Arbitrary<Body> {
  return at < 8 ? fc.constantFrom<Body>(...HUGE) : fc.constant(null);
}

function fieldOf(name: string): fc.Arbitrary<unknown> {
  if (name === "passkey") return fc.oneof(passkey, oddValue);
  const right = RIGHT[name]?.map(placeOf);
  return fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom<unknown>(...(right ?? ["connect", "prove", "Mine", true, 5])) },
    { weight: 2, arbitrary: right ? oddValue : oddValue.filter(isNoPlace) },
  );
}

/**
 * Other fields may be read back, such as a passkey's name: a secret that someone writes there is rightly
 * returned.
 */
function isNoPlace(value: unknown): boolean {
  return !JSON.stringify(value ?? null).includes("«");
}
