import { OneTask } from "../frame.tsx";

/** Shown instead of every page: without cookies nobody can stay logged in, and storage is blocked too. */
export function CookiesOffPage() {
  return (
    <OneTask title="Cookies are off">
      <p>
        This page needs cookies. Allow them for <bdi>{location.host}</bdi> in your browser, then reload.
      </p>
    </OneTask>
  );
}
