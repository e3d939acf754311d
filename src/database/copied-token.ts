/**
 * A token that is to be kept, as a text of its own. V8 cuts a long part out of a text by pointing into it: the
 * whole Cookie header, up to 16 kB, would stay in memory for as long as the token does.
 */
export function copiedToken(token: string): string {
  return Buffer.from(token, "latin1").toString("latin1");
}
