import { notes } from "../notes.server.js";

export function load({ locals: { account } }) {
  return { email: account.email, notes: notes.get(account.id) ?? [] };
}

export const actions = {
  async default({ request, locals: { account } }) {
    const note = String((await request.formData()).get("note") ?? "");
    notes.set(account.id, [...(notes.get(account.id) ?? []), note]);
  },
};
