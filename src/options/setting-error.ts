/** A setting that can't be used; the message is one line for the operator. */
export class SettingError extends Error {
  constructor(variable: string, words: string) {
    super(`${variable} ${words}${words.endsWith("?") ? "" : "."}`);
    this.name = "SettingError";
  }
}
