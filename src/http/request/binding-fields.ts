/** The header fields of device binding (docs/device-binding.md), with strings in the form of RFC 9651. */

const QUOTED = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"\s*(?:;.*)?$/;
const BARE = /^[\x21\x23-\x3a\x3c-\x7e]+$/;

/** The string in a field, quoted or, as some browsers send it, unquoted; null for anything else. */
export function readString(field: string | null): string | null {
  const text = field?.trim() ?? "";
  const quoted = QUOTED.exec(text)?.[1];
  if (quoted !== undefined) return quoted.replace(/\\(["\\])/g, "$1");
  return BARE.test(text) ? text : null;
}

/** Asks the browser to create a key and to register it at `path` with the challenge signed. */
export function registrationField(path: string, challenge: string): string {
  return `(ES256 RS256);path="${path}";challenge="${challenge}"`;
}

/** Gives a session's browser the challenge to sign next. */
export function challengeField(challenge: string, sessionId: string): string {
  return `"${challenge}";id="${sessionId}"`;
}

/**
 * Whether a browser says that it deliberately sent no proof for this session. A client may lie: it gains
 * nothing.
 */
export function saysSkipped(headers: Pick<Headers, "get">, sessionId: string): boolean {
  return headers.get("secure-session-skipped")?.includes(sessionId) ?? false;
}
