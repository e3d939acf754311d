import { useState } from "react";
import { absoluteTime, dayOf, Refused, relativeTime, type Session } from "../client/index.ts";
import { Card, Stale, useStatus, Waiting } from "./card.tsx";
import { DeviceGlyph } from "./device-glyph.tsx";
import { Dialog } from "./dialog.tsx";
import { FormProblem, useAction } from "./form.tsx";
import { useClient, useNow, useRefresh, useSessions } from "./provider.tsx";
import { devices } from "./words.ts";

/** Where you are logged in, and how to end it: one device, or all the others. */
export function LoginManagement() {
  const { data: sessions, error, isFetching } = useSessions();
  const [status, say] = useStatus();
  const [asking, setAsking] = useState(false);
  const others = sessions?.filter((session) => !session.current).length ?? 0;
  return (
    <Card
      id="login-management"
      title="Login management"
      words="Every device that is logged in to your account. API keys and connected apps are not listed here."
    >
      <Stale error={error} isFetching={isFetching} />
      {sessions ? <SessionList sessions={sessions} say={say} /> : <Waiting rows={2} />}
      {sessions && others === 0 && <p className="lk-hint">Only this device is logged in.</p>}
      {status}
      <div className="lk-actions">
        <button
          type="button"
          className="lk-button lk-plain"
          disabled={others === 0}
          onClick={() => setAsking(true)}
        >
          Log out other devices
        </button>
      </div>
      {asking && <EndOthers count={others} onClose={() => setAsking(false)} say={say} />}
    </Card>
  );
}

type Say = (sentence: string) => void;

function SessionList({ sessions, say }: { sessions: Session[]; say: Say }) {
  const now = useNow();
  return (
    // biome-ignore lint/a11y/noRedundantRoles: Safari drops the role of a list without bullets.
    <ul className="lk-list" role="list">
      {sessions.map((session) => (
        <SessionRow key={session.id} session={session} now={now} say={say} />
      ))}
    </ul>
  );
}

function SessionRow({ session, now, say }: { session: Session; now: number; say: Say }) {
  const client = useClient();
  const refresh = useRefresh();
  const { label } = session;
  const ending = useAction(async () => {
    await client.endSession(session.id).catch((error: unknown) => {
      // Somebody else was quicker: it is out, which is what was asked for.
      if (!(error instanceof Refused) || error.code !== "not_found") throw error;
    });
    say(`${label} was logged out.`);
    await refresh();
  });
  return (
    // biome-ignore lint/a11y/noRedundantRoles: Safari drops the role of an item of a list without bullets.
    <li className="lk-row" role="listitem" data-leaving={ending.working || undefined}>
      <DeviceGlyph os={session.os} />
      <div className="lk-row-words">
        <p className="lk-label">{label}</p>
        <p className="lk-muted">
          Signed in {dayOf(session.createdAt, now)} · last used{" "}
          <time dateTime={session.lastUsedAt} title={absoluteTime(session.lastUsedAt)}>
            {relativeTime(session.lastUsedAt, now)}
          </time>
        </p>
        <FormProblem problem={ending.problem} />
      </div>
      {session.current ? (
        <span className="lk-pill">Current session</span>
      ) : (
        <button
          type="button"
          className="lk-button lk-small"
          aria-label={`Log out ${label}`}
          aria-disabled={ending.working || undefined}
          data-working={ending.working || undefined}
          onClick={() => void ending.act()}
        >
          Log out
        </button>
      )}
    </li>
  );
}

/** Says the effect before it happens; one row needs no question, all of them do. */
export function EndOthers({ count, onClose, say }: { count: number; onClose: () => void; say: Say }) {
  const client = useClient();
  const refresh = useRefresh();
  const ending = useAction(async () => {
    const { ended } = await client.endOtherSessions();
    say(`${ended === 1 ? "1 other device was" : `${ended} other devices were`} logged out.`);
    onClose();
    await refresh();
  });
  return (
    <Dialog role="alertdialog" title="Log out other devices" onClose={onClose}>
      <p>This logs out {devices(count)}. You stay logged in here.</p>
      <FormProblem problem={ending.problem} />
      <div className="lk-actions">
        <button
          type="button"
          className="lk-button lk-main"
          data-working={ending.working || undefined}
          onClick={() => void ending.act()}
        >
          Log out other devices
        </button>
        <button type="button" className="lk-button lk-quiet" onClick={onClose}>
          Cancel
        </button>
      </div>
    </Dialog>
  );
}
