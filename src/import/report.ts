/** Something that was not imported, with the reason. */
export type LeftOut = {
  where: string;
  /** What was left out: the whole account, or one part of it. */
  what: "account" | "password" | "second factor" | "login method" | "session";
  /** A sentence for the operator. */
  why: string;
};

/** What an import did, or what it would have done in a dry run. */
export type Report = {
  accounts: number;
  passwords: number;
  twoFactors: number;
  loginMethods: number;
  sessions: number;
  /** Accounts that existed before, and were left as they are. */
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
