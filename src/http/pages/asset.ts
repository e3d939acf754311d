import type { RequestHead } from "../request/request-head.ts";

/** A file of the dashboard or the brand, kept in memory. */
export type Asset = {
  type: string;
  bytes: Buffer<ArrayBuffer>;
  /** The same, compressed in advance. */
  encoded: { br: Buffer<ArrayBuffer>; gzip: Buffer<ArrayBuffer> };
};

/**
 * Sends the best compression that the browser accepts; cached for a year if the name has a hash, else an
 * hour.
 */
export function sendAsset(request: RequestHead, asset: Asset, hasHashedName: boolean): Response {
  const accepted = request.headers.get("accept-encoding") ?? "";
  const encoding = (["br", "gzip"] as const).find((one) => accepts(accepted, one));
  return new Response(encoding ? asset.encoded[encoding] : asset.bytes, {
    headers: {
      "Content-Type": asset.type,
      "Cache-Control": hasHashedName ? "public, max-age=31536000, immutable" : "public, max-age=3600",
      Vary: "Accept-Encoding",
      ...(encoding ? { "Content-Encoding": encoding } : {}),
    },
  });
}

/** A listed encoding with a weight of 0 (`q=0`) is refused. */
function accepts(header: string, encoding: string): boolean {
  return new RegExp(`\\b${encoding}\\b(?!\\s*;\\s*q=0(\\.0*)?\\s*(,|$))`, "i").test(header);
}
