import { OneTask } from "../frame.tsx";

/** In the place of every page: nobody could stay logged in, and the browser withholds the storage of the tab, too. */
export function CookiesOffPage() {
  return (
    <OneTask title="Cookies are off">
      <p>
        This page needs cookies. Allow them for <bdi>{location.host}</bdi> in your browser, then reload.
      </p>
    </OneTask>
  );
}
