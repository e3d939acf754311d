/**
 * Takes an emailed link's token out of the URL's fragment, which no server ever sees. Until the token is used
 * or refused, it is kept in the state of the page's history entry, since a phone may reload the page to free
 * memory. Unlike session storage, only this page can read that.
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

/** Reloads when another link is pasted into the page's tab: a change of the fragment alone loads nothing. */
export function loadPastedLinks(): void {
  window.addEventListener("hashchange", () => {
    if (tokenInAddress() !== null) location.reload();
  });
}

/** The token in the fragment. With `next`, an app sent the person here, and the fragment is the app's. */
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
 * Like `takeToken`, but also keeps the token in this tab until `forgetToken`, so that the page can continue
 * after a login. The token is never in a URL that a server sees.
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
