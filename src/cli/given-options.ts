import { optionsFromFile } from "../options/config-file.ts";
import { type LatchkeyOptions, optionsFromEnvironment } from "../options/options.ts";

/** What the operator has set: in the environment or `.env`, else in `latchkey.config`. */
export async function givenOptions(): Promise<LatchkeyOptions> {
  return { ...(await optionsFromFile()), ...optionsFromEnvironment(process.env) };
}
