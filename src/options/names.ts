import { distance } from "fastest-levenshtein";
import { providerOf, variablesOfProviders } from "./oidc.ts";
import { SettingError } from "./setting-error.ts";
import { OPTIONS, SETTINGS } from "./table.ts";

/**
 * Refuses names of options that don't exist: a mistyped option would be ignored, and the default used
 * instead.
 * @throws Error naming the option, and the closest known name, if any is close.
 */
export function refuseUnknownOptions(given: object): void {
  const problem = unknownOption(given);
  if (problem !== null) throw new Error(`createLatchkey: ${problem}${problem.endsWith("?") ? "" : "."}`);
}

/** What is wrong with the names of options, as half a sentence; null if nothing is. */
export function unknownOption(given: object): string | null {
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(OPTIONS.shape, name));
  if (unknown === undefined) return null;
  const right = optionOf(unknown) ?? nearest(unknown, Object.keys(OPTIONS.shape));
  return `${unknown} is an unknown option${right === undefined ? "" : `; did you mean ${right}?`}`;
}

/**
 * The option meant by a name formed from its variable, such as `oidcProviders` from LATCHKEY_OIDC_PROVIDERS.
 */
function optionOf(name: string): string | undefined {
  return SETTINGS.find(({ variable }) => letters(variable) === letters(name))?.option;
}

/** Refuses unknown environment variables that begin with `LATCHKEY_`. @throws SettingError */
export function refuseUnknownVariables(environment: Record<string, string | undefined>): void {
  const known = [...SETTINGS.map(({ variable }) => variable), ...variablesOfProviders(environment)];
  const unknown = Object.entries(environment).find(
    ([name, value]) =>
      name.startsWith("LATCHKEY_") && value?.trim() && !known.includes(name) && !isOfKubernetes(name, value),
  )?.[0];
  if (unknown === undefined) return;
  const provider = providerOf(unknown);
  const right = provider === undefined && nearest(unknown, known);
  const otherwise = provider
    ? `LATCHKEY_OIDC_PROVIDERS doesn't name ${provider}`
    : "See: latchkey serve --help";
  const hint = right ? `Did you mean ${right}?` : otherwise;
  throw new SettingError(unknown, `is not a setting of Latchkey. ${hint}`);
}

/**
 * Kubernetes sets such variables in a container for each service; a service called `latchkey` gets these
 * names.
 */
function isOfKubernetes(name: string, value: string): boolean {
  return (
    /_SERVICE_(HOST|PORT)(_|$)|_PORT_\d+_/.test(name) || (name.endsWith("_PORT") && value.includes("://"))
  );
}

/** A name counts as a typo of another with at most one wrong character in this many. */
const CHARACTERS_A_SLIP = 3;

/** The known name that differs only in its case or punctuation, or by a few typos. */
function nearest(unknown: string, known: readonly string[]): string | undefined {
  return known
    .map((name) => ({ name, slips: distance(letters(unknown), letters(name)) }))
    .filter(({ name, slips }) => slips <= letters(name).length / CHARACTERS_A_SLIP)
    .toSorted((one, other) => one.slips - other.slips)[0]?.name;
}

function letters(name: string): string {
  return name
    .toLowerCase()
    .replace(/^latchkey_/, "")
    .replace(/[^a-z]/g, "");
}
