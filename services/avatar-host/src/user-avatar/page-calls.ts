/** What web-api asks and says about the pages that a user has open. */
import type { CallArgs, CallResult, Notification } from "@tidings/protocol";
import { withPrefix } from "@tidings/store";
import type { Turn } from "../shard/turn.ts";
import { active } from "./account.ts";
import type { CallContext } from "./calls.ts";
import { deliveriesOf } from "./history.ts";
import { changesSince, newestNumbers } from "./live.ts";
import { isAwaitedAtPage, leftWithPage, sentToPage, shownOnPage } from "./page-delivery.ts";
import { presenceView } from "./presence.ts";
import { type CoreRow, type DeliveriesRow, HISTORY, INDEX, PAGE, PENDING } from "./rows.ts";
import type { UserAvatar } from "./user-avatar.ts";

/** In the text of a row with a delivery at the pages; few have one, and most need not be read for it. */
const AT_PAGE = `"destination":"${PAGE.id}"`;

/** A page that says how it stands is believed for so long (milliseconds), unless it asks or says something again. */
const BELIEVED_MS = 60_000;

/** What has changed for a page. What was sent to it before, as its stand says, is handed. */
export function changes(context: CallContext, args: CallArgs<"changes">): CallResult<"changes"> {
  const { turn, core, avatar } = context;
  const { page, since, watchMs } = args;
  avatar.isWatched(turn, watchMs);
  const isKnown = page === undefined || avatar.pages.isStillOpen(page, turn.nowAt + BELIEVED_MS);
  if (page !== undefined && since !== null)
    for (const number of unsent(turn).filter((one) => one <= since.number))
      moves(turn, active(core), avatar, number, sentToPage);
  const found = changesSince(turn, args, presenceView(avatar.presence(turn), avatar.agentEpoch));
  return isKnown ? found : { ...found, asksPage: true };
}

/** How a page stands, what it has shown, or that it is closed. */
export function pageSays(
  { turn, core, avatar }: CallContext,
  { page, show, idleSinceAt, shown }: CallArgs<"pageSays">,
): CallResult<"pageSays"> {
  const before = avatar.pages.standingAt(turn.nowAt);
  if (show === null) avatar.pages.close(page);
  else avatar.pages.says(page, { show, idleSinceAt }, turn.nowAt + BELIEVED_MS);
  for (const id of shown) {
    const number = turn.text(INDEX + id);
    if (number !== undefined) moves(turn, active(core), avatar, number, shownOnPage);
  }
  pagesHaveLeft(turn, active(core), avatar, sent(turn));
  if (avatar.pages.standingAt(turn.nowAt) !== before) avatar.decideAnew(turn, active(core));
  return {};
}

/** With no page open any more, what none has shown is held again: what was not sent yet, and of what was, `others`. */
export function pagesHaveLeft(
  turn: Turn,
  core: CoreRow,
  avatar: UserAvatar,
  others: readonly string[] = [],
): void {
  if ((avatar.pages.standingAt(turn.nowAt)?.show ?? "offline") !== "offline") return;
  for (const number of [...unsent(turn), ...others]) moves(turn, core, avatar, number, leftWithPage);
}

/** The numbers of what is on its way to the pages: somebody waits for it, so it is among what is pending. */
function unsent(turn: Turn): string[] {
  return turn
    .list(withPrefix(PENDING))
    .filter(({ value }) => value.includes(AT_PAGE) && isAwaitedAtPage(JSON.parse(value) as DeliveriesRow))
    .map(({ key }) => key.slice(PENDING.length));
}

/** The numbers of the newest that were sent to a page, which has not shown them. */
function sent(turn: Turn): string[] {
  return newestNumbers(turn).filter((number) => isAwaitedAtPage(deliveriesOf(turn, number)));
}

function moves(
  turn: Turn,
  core: CoreRow,
  avatar: UserAvatar,
  number: string,
  change: (row: DeliveriesRow, nowAt: number) => DeliveriesRow,
): void {
  const notification = turn.get<Notification>(HISTORY + number);
  const before = deliveriesOf(turn, number);
  if (notification === undefined || (before !== undefined && change(before, turn.nowAt) === before)) return;
  avatar.act(turn, core, notification.id, (row) => change(row, turn.nowAt));
}
