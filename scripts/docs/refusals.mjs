/** The refusals that any call can get. */
export const EVERYWHERE = [
  "too_many_attempts",
  "internal_error",
  "unavailable",
  "invalid_json",
  "too_large",
  "unsupported_media_type",
  "cross_site",
];

/**
 * The refusals of a call, from its OpenAPI description: each status with its codes, except the given ones.
 */
export function refusalsOf(responses, leftOut) {
  return Object.entries(responses).flatMap(([status, { description, content = {} }]) => {
    if (!("application/problem+json" in content)) return [];
    const codes = description
      .replace(/^Refused: |\.$/g, "")
      .split(", ")
      .filter((code) => !leftOut.includes(code));
    return codes.length === 0 ? [] : [[status, codes.map((code) => `\`${code}\``).join(", ")]];
  });
}
