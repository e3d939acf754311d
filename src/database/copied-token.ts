/**
 * Copies a token that will be kept. V8 represents a long substring as a pointer into the original string,
 * so the whole Cookie header, up to 16 kB, would stay in memory for as long as the token does.
 */
export function copiedToken(token: string): string {
  return Buffer.from(token, "latin1").toString("latin1");
}
