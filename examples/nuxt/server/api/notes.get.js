import { notes } from "../utils/notes.js";

export default defineEventHandler(({ context: { account } }) => ({
  email: account.email,
  notes: notes.get(account.id) ?? [],
}));
