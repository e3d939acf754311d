import { domainToASCII } from "node:url";

/** An address as typed, to which emails are sent, and the key by which addresses are compared. */
export type EmailAddress = { email: string; key: string };

const LONGEST = 254;
const LONGEST_LOCAL_PART = 64;
/** Dot-atom of RFC 5321: no quotes, comments or non-ASCII, about which mail libraries disagree. */
const LOCAL_PART = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const DOMAIN = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Reads an email address; null if it isn't valid. Surrounding spaces are ignored. */
export function readEmailAddress(typed: string): EmailAddress | null {
  const email = typed.trim();
  const at = email.lastIndexOf("@");
  const local = email.slice(0, at);
  const domain = email.slice(at + 1);
  if (at < 1 || email.length > LONGEST || local.length > LONGEST_LOCAL_PART || !LOCAL_PART.test(local))
    return null;
  if (/[^\p{L}\p{N}\p{M}.-]/u.test(domain)) return null;
  const ascii = domainToASCII(domain).toLowerCase();
  if (!DOMAIN.test(ascii) || ascii.length > 253) return null;
  return { email, key: `${local.toLowerCase()}@${ascii}` };
}

const BEYOND_ASCII = /[^\x20-\x7e]/;

/** The address with its domain in xn-- form, for headers and for recipients that need plain ASCII. */
export function inAscii(email: string): string {
  if (!BEYOND_ASCII.test(email)) return email;
  const at = email.lastIndexOf("@");
  return `${email.slice(0, at)}@${domainToASCII(email.slice(at + 1))}`;
}
