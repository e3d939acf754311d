/** The prompt in the email field waits for as long as the page is open; another prompt ends it. */
let waiting: AbortController | undefined;

/** Whether this browser can make and use passkeys, by its own reading of the server's options. */
export function canUsePasskeys(): boolean {
  return typeof PublicKeyCredential !== "undefined" && "parseCreationOptionsFromJSON" in PublicKeyCredential;
}

/** Lets the browser make a passkey, by the options that the server has just sent. */
export async function makePasskey(options: object): Promise<object> {
  waiting?.abort();
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(
    options as PublicKeyCredentialCreationOptionsJSON,
  );
  return asJson(await navigator.credentials.create({ publicKey }));
}

/** Lets the browser use a passkey; `autofill` offers it in the email field and waits there. */
export async function answerWithPasskey(options: object, autofill = false): Promise<object> {
  waiting?.abort();
  const controller = new AbortController();
  if (autofill) waiting = controller;
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(
    options as PublicKeyCredentialRequestOptionsJSON,
  );
  const { signal } = controller;
  return asJson(
    await navigator.credentials.get({ publicKey, signal, mediation: autofill ? "conditional" : "optional" }),
  );
}

function asJson(credential: Credential | null): object {
  if (credential instanceof PublicKeyCredential) return credential.toJSON();
  throw new DOMException("No passkey was chosen.", "NotAllowedError");
}
