import { withSession } from "latchkey/next";
import { latchkey } from "../../../lib/latchkey.js";
import { notes } from "../../../lib/notes.js";

export const GET = withSession(latchkey, (_request, { account }) =>
  Response.json(notes.get(account.id) ?? []),
);
