/**
 * The token of an emailed link. It leaves the address bar at once, and no server ever sees it. Until it is used or
 * refused, the page's own entry in the history of its tab keeps it: a phone that needed the memory loads the page
 * again. Unlike what is stored, nothing but that one page can read it.
 */
export function takeToken(): string | null {
  const token = tokenInAddress();
  if (token === null) return tokenInEntry();
  history.replaceState({ token }, "", location.pathname + location.search);
  return token;
}

export function dropToken(): void {
  history.replaceState(null, "");
}

/** A link that is opened in the tab of another one changes only the part after the #, which loads nothing. */
export function loadPastedLinks(): void {
  window.addEventListener("hashchange", () => {
    if (tokenInAddress() !== null) location.reload();
  });
}

/** Where an app sends people to log in, what is behind the # is the app's own. */
function tokenInAddress(): string | null {
  if (new URLSearchParams(location.search).has("next")) return null;
  return new URLSearchParams(location.hash.slice(1)).get("token");
}

function tokenInEntry(): string | null {
  const token: unknown = history.state?.token;
  return typeof token === "string" ? token : null;
}

const KEPT_TOKEN = "latchkey:confirmation";

/**
 * The same, kept in this tab until `forgetToken`, so that the page can go on with it after a log-in: no
 * address that a server sees ever has it.
 */
export function takeTokenAndKeep(): string | null {
  const token = takeToken() ?? keptToken();
  if (token !== null) sessionStorage.setItem(KEPT_TOKEN, token);
  return token;
}

export function keptToken(): string | null {
  return sessionStorage.getItem(KEPT_TOKEN);
}

export function forgetToken(): void {
  dropToken();
  sessionStorage.removeItem(KEPT_TOKEN);
}
