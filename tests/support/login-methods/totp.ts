import { Secret, TOTP } from "otpauth";

/** How long a code is shown, in ms. */
export const STEP = 30_000;

/** The code that an authenticator app shows at a time, or this many steps before or after it. */
export function codeAt(secret: string, at: number, steps = 0): string {
  const totp = new TOTP({ secret: Secret.fromBase32(secret), algorithm: "SHA1", digits: 6, period: 30 });
  return totp.generate({ timestamp: at + steps * STEP });
}

/** A code that is right at no step near this time. */
export function wrongCodeAt(secret: string, at: number): string {
  const near = [-3, -2, -1, 0, 1, 2, 3].map((steps) => codeAt(secret, at, steps));
  const wrong = ["000000", "111111", "222222", "333333", "444444", "555555", "666666", "777777"];
  return wrong.find((code) => !near.includes(code)) ?? "888888";
}
