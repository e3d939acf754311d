import { hashSync } from "bcryptjs";
import { findForOperator, suspend } from "../../../src/operator.ts";
import type { TestServer } from "../servers/server.ts";
import { PASSWORD, signUp, turnOnTwoFactor } from "./people.ts";

/** Accounts that a sign-in with a password may meet. */
export type AccountKind =
  | "a password"
  | "no password"
  | "a blocked password"
  | "a suspension"
  | "two factors"
  | "an imported password";

/** The address of a new account of a kind; what makes the kind is written past the rules. */
export async function accountWith(server: TestServer, kind: AccountKind): Promise<string> {
  const { parts } = server.latchkey;
  const person = await signUp(server);
  const set = (values: object) =>
    parts.database.write(({ query }) =>
      query.updateTable("account").set(values).where("id", "=", person.account.id).execute(),
    );
  if (kind === "no password") await set({ password_hash: null, password_set_at: null });
  if (kind === "a blocked password") await set({ password_blocked_at: 1 });
  if (kind === "an imported password") await set({ password_hash: hashSync(PASSWORD, 4) });
  if (kind === "two factors") await turnOnTwoFactor(server, person);
  if (kind === "a suspension") {
    const found = await findForOperator(parts, person.email);
    if (!found.ok) throw new Error("The account isn't there.");
    await suspend(parts, found.account, server.clock.now());
  }
  return person.email;
}
