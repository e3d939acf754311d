/** `latchkey/elements`: the card "Login management" as the custom element `<login-management>`, for any page. */
import { LoginManagementElement } from "./login-management.ts";

export { LoginManagementElement };

// Missing on a server.
if (globalThis.customElements?.get("login-management") === undefined)
  globalThis.customElements?.define("login-management", LoginManagementElement);

declare global {
  interface HTMLElementTagNameMap {
    "login-management": LoginManagementElement;
  }
}
