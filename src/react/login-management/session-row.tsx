import { useRef } from "react";
import { absoluteTime, dayOf, Refused, relativeTime, type Session } from "../../client/index.ts";
import { Button } from "../parts/button.tsx";
import { FormProblem, useAction } from "../parts/form.tsx";
import { useClient, useRefresh, useTakeOff } from "../queries.ts";
import { BOUND } from "../words.ts";
import { DeviceGlyph } from "./device-glyph.tsx";

type RowProps = {
  session: Session;
  /** The session began while the page was open. */
  isNew: boolean;
  now: number;
  say: (sentence: string) => void;
};

export function SessionRow({ session, isNew, now, say }: RowProps) {
  const client = useClient();
  const refresh = useRefresh();
  const takeOff = useTakeOff();
  const row = useRef<HTMLLIElement>(null);
  const { id, label } = session;
  const ending = useAction(async () => {
    await client.endSession(id).catch((error: unknown) => {
      // It has already ended some other way, which is what the person wanted.
      if (!(error instanceof Refused) || error.code !== "not_found") throw error;
    });
    say(`${label} was logged out.`);
    if (row.current?.contains(document.activeElement)) nextButton(row.current)?.focus();
    takeOff((one) => one.id === id);
    void refresh();
  });
  return (
    <li
      ref={row}
      className="lk-row lk-device"
      // biome-ignore lint/a11y/noRedundantRoles: Safari drops the role of an item of a list without bullets.
      role="listitem"
      data-new={isNew || undefined}
      data-leaving={ending.working || undefined}
    >
      <DeviceGlyph os={session.os} />
      <div className="lk-row-words">
        <p className="lk-label">{label}</p>
        <p className="lk-muted lk-facts">
          <span>Signed in {dayOf(session.createdAt, now)}</span>{" "}
          <span>
            last used:{" "}
            <time dateTime={session.lastUsedAt} title={absoluteTime(session.lastUsedAt)}>
              {relativeTime(session.lastUsedAt, now)}
            </time>
          </span>
        </p>
        {session.bound && <p className="lk-muted">{BOUND}</p>}
        <FormProblem problem={ending.problem} />
      </div>
      <div className="lk-row-end">
        {session.current ? (
          <span className="lk-pill">Current session</span>
        ) : (
          <Button
            kind="small"
            aria-label={`Log out ${label}`}
            aria-disabled={ending.working || undefined}
            working={ending.working}
            onClick={() => void ending.act()}
          >
            Log out
          </Button>
        )}
      </div>
    </li>
  );
}

/** The button of the row below, else of the one above. */
function nextButton(row: HTMLElement): HTMLElement | null {
  const buttonOf = (other: Element | null) => other?.querySelector<HTMLElement>("button") ?? null;
  return buttonOf(row.nextElementSibling) ?? buttonOf(row.previousElementSibling);
}
