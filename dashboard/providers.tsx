import type { ReactNode } from "react";
import { leaveFor } from "../src/react/proof/sites.ts";
import { useFrame, usePath } from "./frame.tsx";
import { byWayOf, keepPlace } from "./place.ts";

/** A button for each site that people may sign in with. */
export function Providers() {
  const { config } = useFrame();
  const path = usePath();
  const { search, hash } = location;
  const given = new URLSearchParams(search).get("next");
  const next = hash === "" ? given : byWayOf(path("/login"), given);
  const query = new URLSearchParams({ touchPoints: String(navigator.maxTouchPoints) });
  if (next !== null) query.set("next", next);
  if (config.oidc.length === 0) return null;
  return (
    <div className="providers">
      {config.oidc.map(({ id, name }) => (
        <a
          key={id}
          className="lk-button lk-plain lk-wide"
          href={path(`/api/oidc/${id}/start?${query}`)}
          onClick={() => {
            leaveFor(name);
            if (hash !== "") keepPlace(hash);
          }}
        >
          Continue with {name}
        </a>
      ))}
    </div>
  );
}

/** Other ways to log in, below the form and a line with "or"; nothing if there are none. */
export function OtherWays({ isAny, children }: { isAny: boolean; children: ReactNode }) {
  if (!isAny) return null;
  return (
    <div className="other-ways">
      <p className="or">or</p>
      {children}
    </div>
  );
}
