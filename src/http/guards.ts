import type { BaseUrl } from "../options/kinds.ts";
import { type Outcome, type Refusal, refuse } from "../refusals.ts";
import type { IncomingRequest, RequestHead } from "./request/request-head.ts";

export const LARGEST_BODY = 64 * 1024;
const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Only the site itself may change anything: an unsafe method needs `Sec-Fetch-Site: same-origin` or `none`
 * or, from browsers without that header, the site's own `Origin`. A sibling sub-domain counts as another
 * site. A request with neither header doesn't come from a browser, and is allowed.
 */
export function refuseCrossSite(request: RequestHead, baseUrl: BaseUrl): Refusal | null {
  if (SAFE.has(request.method)) return null;
  const site = request.headers.get("sec-fetch-site");
  const origin = request.headers.get("origin");
  if (site === "same-origin" || site === "none") return null;
  if (site === null && (origin === null || origin === baseUrl.origin)) return null;
  const seen = origin ?? `a request marked ${site}`;
  return refuse("cross_site", `Latchkey answers to ${baseUrl.origin} (BASE_URL); this came from ${seen}.`);
}

/** Refuses a body of another type, rather than ignoring it, even if the route takes no body. */
export function refuseOtherBodies({ method, headers }: RequestHead): Refusal | null {
  if (SAFE.has(method) || !hasBody(headers) || isJson(headers.get("content-type") ?? "")) return null;
  return refuse("unsupported_media_type", "Send the body as application/json.");
}

/** Refuses a body that is too large or not JSON, for a route that takes no body. */
export async function refuseStrayBody(request: IncomingRequest): Promise<Refusal | null> {
  if (SAFE.has(request.method) || !hasBody(request.headers)) return null;
  const bytes = await readUpTo(request, LARGEST_BODY);
  if (bytes === null) return tooLarge();
  return bytes.length === 0 || parse(bytes) ? null : refuse("invalid_json");
}

function hasBody(headers: RequestHead["headers"]): boolean {
  const length = headers.get("content-length");
  return (length !== null && length !== "0") || headers.get("transfer-encoding") !== null;
}

/** Reads a JSON object, at most 64 kB of well-formed UTF-8. No body at all reads as an empty object. */
export async function readBody(
  request: IncomingRequest,
): Promise<Outcome<{ body: Record<string, unknown> }>> {
  const type = request.headers.get("content-type");
  const bytes = await readUpTo(request, LARGEST_BODY);
  if (bytes === null) return tooLarge();
  if (bytes.length === 0 && type === null) return { ok: true, body: {} };
  if (!type || !isJson(type)) return refuse("unsupported_media_type", "Send the body as application/json.");
  const parsed = parse(bytes);
  if (!parsed) return refuse("invalid_json");
  const { value } = parsed;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return refuse("invalid_input", "The body must be a JSON object.", { field: "" });
  }
  return { ok: true, body: value as Record<string, unknown> };
}

function tooLarge(): Refusal {
  return refuse("too_large", `The body is larger than ${LARGEST_BODY / 1024} kB.`);
}

function isJson(type: string): boolean {
  const [name, ...parameters] = type
    .toLowerCase()
    .split(";")
    .map((part) => part.trim());
  return (
    name === "application/json" &&
    parameters.every((part) => !part.startsWith("charset=") || /utf-?8/.test(part))
  );
}

async function readUpTo({ headers, body }: IncomingRequest, most: number): Promise<Buffer | null> {
  if (Number(headers.get("content-length") ?? 0) > most) return null;
  return body ? joinUpTo(body, most) : Buffer.alloc(0);
}

/**
 * Joins the pieces of a body; null if they exceed `most` bytes. Copies each piece as it arrives: keeping the
 * pieces would cost some 200 bytes each, even for one byte.
 */
export async function joinUpTo(pieces: AsyncIterable<Uint8Array>, most: number): Promise<Buffer | null> {
  let bytes = Buffer.alloc(0);
  let size = 0;
  for await (const piece of pieces) {
    const end = size + piece.length;
    if (end > most) return null;
    if (end > bytes.length) bytes = Buffer.concat([bytes], Math.min(most, 2 * end));
    bytes.set(piece, size);
    size = end;
  }
  return bytes.subarray(0, size);
}

function parse(bytes: Buffer): { value: unknown } | null {
  try {
    return { value: JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) };
  } catch {
    return null;
  }
}
