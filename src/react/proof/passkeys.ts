import {
  browserSupportsWebAuthn,
  browserSupportsWebAuthnAutofill,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  startAuthentication,
  startRegistration,
} from "@simplewebauthn/browser";
import { PromptFailed } from "../words.ts";

/** Whether this browser supports passkeys. */
export const canUsePasskeys = browserSupportsWebAuthn;

/** Whether this browser supports passkeys in autofill. */
export const canOfferPasskeys = browserSupportsWebAuthnAutofill;

/** Asks the browser to create a passkey, with options from the server. @throws PromptFailed */
export function makePasskey(options: object): Promise<object> {
  return prompt(startRegistration({ optionsJSON: options as PublicKeyCredentialCreationOptionsJSON }));
}

/**
 * Asks the browser for a passkey; with `autofill`, offers it in the email field and waits until another
 * prompt ends that. @throws PromptFailed
 */
export function answerWithPasskey(options: object, autofill = false): Promise<object> {
  const optionsJSON = options as PublicKeyCredentialRequestOptionsJSON;
  return prompt(startAuthentication({ optionsJSON, useBrowserAutofill: autofill }));
}

/** An error in a prompt comes from the browser or a password manager, never from the network. */
async function prompt(answer: Promise<object>): Promise<object> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Error && error.name === "AbortError") throw error;
    throw new PromptFailed(error);
  }
}
