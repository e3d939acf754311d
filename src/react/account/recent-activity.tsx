import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import {
  type ActivityEvent,
  absoluteTime,
  dayOf,
  deviceInSentence,
  relativeTime,
  timeOf,
} from "../../client/index.ts";
import { Button } from "../parts/button.tsx";
import { Card, Stale, Waiting } from "../parts/card.tsx";
import { readingOf, useLatchkey, useNow } from "../queries.ts";
import { ADMINISTRATOR } from "../words.ts";

const A_PAGE = 50;

/** What happened to this account, newest first, with the device and the cause. */
export function RecentActivity() {
  const { client, queries } = useLatchkey();
  const now = useNow();
  const activity = useInfiniteQuery(
    {
      queryKey: ["activity"],
      queryFn: (query) => client.activity({ before: query.pageParam, ...readingOf(query) }),
      initialPageParam: undefined as string | undefined,
      getNextPageParam: (page) => (page.length < A_PAGE ? undefined : page.at(-1)?.id),
    },
    queries,
  );
  const events = activity.data?.pages.flat();
  const canFetch = activity.hasNextPage && !activity.isFetching && !activity.isError;
  const more = useShowMore(events, canFetch, () => void activity.fetchNextPage());
  return (
    <Card
      id="recent-activity"
      title="Recent activity"
      words="What happened to your account in the last 90 days."
    >
      {events ? (
        <ol ref={more.list} className="lk-events">
          {events.map((event) => (
            <li key={event.id} tabIndex={-1}>
              <p>{sentence(event)}</p>
              <p className="lk-muted">
                {dayOf(event.at, now)}, {timeOf(event.at)} <span aria-hidden="true">·</span>{" "}
                <time dateTime={event.at} title={absoluteTime(event.at)}>
                  {relativeTime(event.at, now)}
                </time>
              </p>
            </li>
          ))}
        </ol>
      ) : (
        <>
          <Stale reading={activity} />
          <Waiting bones={["row", "row", "row"]} />
        </>
      )}
      {/* The next page has never been loaded, so the notice mustn't say how old it is. */}
      {activity.isFetchingNextPage && <Stale reading={{ ...activity, dataUpdatedAt: 0 }} />}
      {activity.hasNextPage && (
        <div className="lk-actions">
          <Button working={activity.isFetchingNextPage} onClick={more.show}>
            Show more
          </Button>
        </div>
      )}
    </Card>
  );
}

/** Fetches older events and focuses the first of them, since the button may be gone afterwards. */
function useShowMore(events: ActivityEvent[] | undefined, canFetch: boolean, fetchMore: () => void) {
  const list = useRef<HTMLOListElement>(null);
  const [after, setAfter] = useState<string | null>(null);
  // News of the account cancels a fetch that is under way: it is made again until the older events are there.
  useEffect(() => {
    if (after !== null && canFetch) fetchMore();
  });
  // A layout effect, to run before the card notices that the button is gone and moves the focus itself.
  useLayoutEffect(() => {
    const place = after === null ? -1 : (events?.findIndex(({ id }) => id === after) ?? -1);
    const next = place < 0 ? undefined : list.current?.children[place + 1];
    if (!(next instanceof HTMLElement)) return;
    setAfter(null);
    const { activeElement } = document;
    if (activeElement === document.body || next.closest(".lk-card")?.contains(activeElement)) next.focus();
  }, [events, after]);
  return { list, show: () => setAfter(events?.at(-1)?.id ?? null) };
}

const CAUSES: Record<string, string> = {
  password_changed: "password changed",
  email_changed: "email changed",
  password_reset: "password reset",
  replaced: "replaced by a new sign-in",
  expired: "time limit reached",
  idle: "unused for a while",
  method_removed: "login method disconnected",
  account_closed: "account closed",
  reported: "reported as not yours",
  proof_lost: "replaced by a new sign-in, which had its cookie without the proof of its device",
};

/** An event as a sentence; an unknown kind is shown by its name. */
export function sentence({ kind, label: device, detail }: ActivityEvent): string {
  const times = Number(detail.count ?? 1) > 1 ? `, ${detail.count} times` : "";
  const label = deviceInSentence(device);
  switch (kind) {
    case "account_created":
      return `Account created from ${label}`;
    case "signed_in":
      return `Signed in from ${label}`;
    case "sign_in_failed":
      return `Wrong password from ${label}${times}`;
    case "two_factor_failed":
      return `Right password, wrong second factor from ${label}${times}`;
    case "session_ended":
      return howEnded(device, detail);
    case "password_changed":
      return `Password changed from ${label}`;
    case "password_reset_requested":
      return `Password reset requested from ${label}`;
    case "password_reset":
      return `Password reset from ${label}`;
    case "email_change_requested":
      return `Change of address to ${detail.email} requested from ${label}`;
    case "email_changed":
      return `Address changed to ${detail.email} from ${label}`;
    case "email_verified":
      return `Address confirmed from ${label}`;
    case "two_factor_on":
      return `Two-factor authentication turned on from ${label}`;
    case "two_factor_off":
      return `Two-factor authentication turned off by ${detail.by ?? label}`;
    case "recovery_code_used":
      return `Recovery code used from ${label}, ${detail.left} left`;
    case "recovery_codes_renewed":
      return `New recovery codes made from ${label}`;
    case "method_added":
      return `Login method added from ${label}: ${methodIn(detail)}`;
    case "method_removed":
      return `Login method disconnected from ${label}: ${methodIn(detail)}`;
    case "cookie_copy_used":
      return `A copy of this session's cookie was used: ${label}, from ${detail.from}. It was refused`;
    default:
      return `${kind.replaceAll("_", " ")} from ${label}`;
  }
}

/** Says "passkey" before a passkey's name, which is often that of a device. */
function methodIn({ method, name }: ActivityEvent["detail"]): string {
  if (method === "passkey") return `passkey “${name}”`;
  return String(name ?? method ?? "");
}

function howEnded(label: string, { reason, by }: ActivityEvent["detail"]): string {
  if (reason === "signed_out") return `${label} logged out`;
  const other = typeof by === "string" ? deviceInSentence(by) : null;
  if (reason === "signed_out_remotely")
    return `${label} was logged out ${other === null ? "remotely" : `${other === ADMINISTRATOR ? "by" : "from"} ${other}`}`;
  const whom = other === null ? "" : ` by ${other}`;
  return `${label} was logged out${whom}: ${CAUSES[String(reason)] ?? reason}`;
}
