import { useFrame, usePath } from "./frame.tsx";

/** A button for each site that people may sign in with. */
export function Providers() {
  const { config } = useFrame();
  const path = usePath();
  const next = new URLSearchParams(location.search).get("next");
  const query = new URLSearchParams({ touchPoints: String(navigator.maxTouchPoints) });
  if (next !== null) query.set("next", next);
  if (config.oidc.length === 0) return null;
  return (
    <div className="providers">
      {config.oidc.map(({ id, name }) => (
        <a key={id} className="lk-button lk-plain lk-wide" href={path(`/api/oidc/${id}/start?${query}`)}>
          Continue with {name}
        </a>
      ))}
    </div>
  );
}
