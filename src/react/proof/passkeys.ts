import {
  browserSupportsWebAuthn,
  browserSupportsWebAuthnAutofill,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  startAuthentication,
  startRegistration,
} from "@simplewebauthn/browser";
import { PromptFailed } from "../words.ts";

/** Whether this browser knows passkeys at all. */
export const canUsePasskeys = browserSupportsWebAuthn;

/** Whether this browser offers passkeys in a field of a form. */
export const canOfferPasskeys = browserSupportsWebAuthnAutofill;

/** Lets the browser make a passkey, by the options that the server has just sent. @throws PromptFailed */
export function makePasskey(options: object): Promise<object> {
  return prompt(startRegistration({ optionsJSON: options as PublicKeyCredentialCreationOptionsJSON }));
}

/**
 * Lets the browser use a passkey; `autofill` offers it in the email field and waits there, until another
 * prompt ends it. @throws PromptFailed
 */
export function answerWithPasskey(options: object, autofill = false): Promise<object> {
  const optionsJSON = options as PublicKeyCredentialRequestOptionsJSON;
  return prompt(startAuthentication({ optionsJSON, useBrowserAutofill: autofill }));
}

/** Whatever goes wrong in a prompt is the browser's doing, or a password manager's, and never the network's. */
async function prompt(answer: Promise<object>): Promise<object> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Error && error.name === "AbortError") throw error;
    throw new PromptFailed(error);
  }
}
