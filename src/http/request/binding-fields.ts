/** The header fields of device binding (docs/device-binding.md): strings as RFC 9651 writes them. */

const QUOTED = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"\s*(?:;.*)?$/;
const BARE = /^[\x21\x23-\x3a\x3c-\x7e]+$/;

/** The string in a field, quoted or, as some browsers send it, bare; null for anything else. */
export function readString(field: string | null): string | null {
  const text = field?.trim() ?? "";
  const quoted = QUOTED.exec(text)?.[1];
  if (quoted !== undefined) return quoted.replace(/\\(["\\])/g, "$1");
  return BARE.test(text) ? text : null;
}

/** Asks the browser to make a key and to register it at `path`, signing the challenge. */
export function registrationField(path: string, challenge: string): string {
  return `(ES256 RS256);path="${path}";challenge="${challenge}"`;
}

/** What a session's browser is to sign next. */
export function challengeField(challenge: string, sessionId: string): string {
  return `"${challenge}";id="${sessionId}"`;
}

/** Whether a browser says that it knows that this session's proof is missing. Anybody can say so: it opens nothing. */
export function saysSkipped(headers: Pick<Headers, "get">, sessionId: string): boolean {
  return headers.get("secure-session-skipped")?.includes(sessionId) ?? false;
}
