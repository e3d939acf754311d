/** Something that did not come along, with the reason. */
export type LeftOut = {
  where: string;
  /** The account as a whole, or only this part of it. */
  what: "account" | "password" | "second factor" | "login method" | "session";
  /** A sentence for the operator. */
  why: string;
};

/** What an import did, or with a dry run would have done. */
export type Report = {
  accounts: number;
  passwords: number;
  twoFactors: number;
  loginMethods: number;
  sessions: number;
  /** Were here before, and are left as they are. */
  alreadyHere: number;
  leftOut: { accounts: number; parts: number };
};

export function emptyReport(): Report {
  return {
    accounts: 0,
    passwords: 0,
    twoFactors: 0,
    loginMethods: 0,
    sessions: 0,
    alreadyHere: 0,
    leftOut: { accounts: 0, parts: 0 },
  };
}
