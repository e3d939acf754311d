import { type MouseEvent, useEffect, useRef, useState } from "react";
import type { Session } from "../../client/index.ts";
import { Button } from "../parts/button.tsx";
import { Card, Stale, useStatus, Waiting } from "../parts/card.tsx";
import { ConfirmDialog } from "../parts/dialog.tsx";
import { useAction } from "../parts/form.tsx";
import { OneSession } from "../parts/one-session.tsx";
import { useClient, useNow, useRefresh, useSessions, useTakeOff } from "../queries.ts";
import { devices, howManyDevices, MANY_ROWS, othersWereLoggedOut, ROWS_AT_FIRST } from "../words.ts";
import { SessionRow } from "./session-row.tsx";

const END_OTHERS = "log-out-other-devices";

/** From this many rows on, the button below them may be out of sight. */
const LONG_WAY = 4;

/** Where you are logged in, and how to end it: one device, or all the others. */
export function LoginManagement() {
  return (
    <OneSession>
      <Devices />
    </OneSession>
  );
}

function Devices() {
  const reading = useSessions();
  const sessions = reading.data;
  const status = useStatus();
  const [asking, setAsking] = useState(false);
  const others = sessions?.filter((session) => !session.current).length ?? 0;
  return (
    <Card
      id="login-management"
      title="Login management"
      words="Every device that is logged in to your account."
      status={status}
    >
      <Stale reading={reading} />
      {sessions ? (
        <>
          <HowMany count={sessions.length} />
          <SessionList sessions={sessions} say={status.say} />
        </>
      ) : (
        <Waiting bones={["line", "row", "row"]} />
      )}
      {status.line}
      <div className="lk-actions">
        <Button id={END_OTHERS} disabled={others === 0} onClick={() => setAsking(true)}>
          Log out other devices
        </Button>
      </div>
      <p className="lk-hint lk-foot">API keys and connected apps are not listed here.</p>
      {asking && <EndOthers count={others} onClose={() => setAsking(false)} say={status.say} />}
    </Card>
  );
}

/** The number of devices, above the rows; if the list is long, with a link to the button below it. */
function HowMany({ count }: { count: number }) {
  return (
    <p className="lk-how-many">
      {howManyDevices(count)}{" "}
      {count >= LONG_WAY && (
        <a href={`#${END_OTHERS}`} onClick={goToEndOthers}>
          Log out the others
        </a>
      )}
    </p>
  );
}

/** Doesn't change the URL's fragment, which the app may use for its own routes. */
function goToEndOthers(event: MouseEvent): void {
  event.preventDefault();
  document.getElementById(END_OTHERS)?.focus({ focusVisible: true });
}

type Say = (sentence: string) => void;

function SessionList({ sessions, say }: { sessions: Session[]; say: Say }) {
  const now = useNow();
  const [showsAll, setShowsAll] = useState(false);
  const [first] = useState(() => new Set(sessions.map(({ id }) => id)));
  const isCut = !showsAll && sessions.length > MANY_ROWS;
  const shown = isCut ? sessions.slice(0, ROWS_AT_FIRST) : sessions;
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    if (showsAll) list.current?.children[ROWS_AT_FIRST]?.querySelector("button")?.focus();
  }, [showsAll]);
  return (
    <>
      {/* biome-ignore lint/a11y/noRedundantRoles: Safari drops the role of a list without bullets. */}
      <ul ref={list} className="lk-list" role="list">
        {shown.map((session) => (
          <SessionRow key={session.id} session={session} isNew={!first.has(session.id)} now={now} say={say} />
        ))}
      </ul>
      {isCut && (
        <Button wide onClick={() => setShowsAll(true)}>
          Show all {sessions.length} devices
        </Button>
      )}
    </>
  );
}

/** Asks for confirmation. Logging out a single device needs none. */
export function EndOthers({ count, onClose, say }: { count: number; onClose: () => void; say: Say }) {
  const client = useClient();
  const refresh = useRefresh();
  const takeOff = useTakeOff();
  const ending = useAction(async () => {
    const { ended } = await client.endOtherSessions();
    takeOff((session) => !session.current);
    say(othersWereLoggedOut(ended));
    onClose();
    void refresh();
  });
  return (
    <ConfirmDialog
      title="Log out other devices"
      words={`This logs out ${devices(count)}. You stay logged in here.`}
      action={ending}
      confirm="Log out other devices"
      kind="main"
      onConfirm={() => void ending.act()}
      onClose={onClose}
    />
  );
}
