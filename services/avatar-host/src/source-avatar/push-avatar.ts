/**
 * The source avatar of a publisher or an inbox: what programs publish with its token, or is mailed to its address, in the order
 * in which it came, each once.
 *
 *     unknown ──its owner opens it──▶ active ──its owner ends it──▶ ended
 *
 * What is published for later is kept here until then, and what users answer until the publisher has it (answers.ts).
 */
import { timingSafeEqual } from "node:crypto";
import {
  type AvatarEvent,
  type CallbackResult,
  CallError,
  MalformedError,
  type Notification,
  type PollResult,
  type Publication,
  type PublishedItem,
  type Report,
} from "@tidings/protocol";
import type { Avatar, IncomingCall } from "../shard/avatar.ts";
import type { Turn } from "../shard/turn.ts";
import { plan, takeDue } from "./agenda.ts";
import { Answers } from "./answers.ts";
import { fanOut } from "./fan-out.ts";
import { type PublisherRow, SOURCE } from "./rows.ts";
import { isNew, noteSeen } from "./seen.ts";
import {
  addSubscriber,
  allSubscribers,
  firstSubscribers,
  isSubscriber,
  removeSubscriber,
} from "./subscribers.ts";

const TELL = "tell";
const UNSHARED = "Its owner does not share it any more; ask for a new link.";
const NO_SHARE = "This link is not valid, or not any more; ask whoever gave it to you for a new one.";
const ENDED = "Its owner has ended it: nothing more will come.";

export class PushAvatar implements Avatar {
  readonly rowsHeld = 0;
  readonly isBusy = false;
  readonly #answers: Answers;
  readonly #askers: readonly string[];
  /** Whether something may not have been told to all yet; after waking up nobody knows. */
  #hasLeft = true;

  /** `askers` are the domains of those who may ask for a standing. */
  constructor({ silo, askers }: { readonly silo: string; readonly askers: readonly string[] }) {
    this.#answers = new Answers(silo);
    this.#askers = askers;
  }

  onEvent(turn: Turn, from: string, event: AvatarEvent): void {
    const source = turn.get<PublisherRow>(SOURCE);
    if (event.type === "publisherOpened") this.#open(turn, from, event, source);
    if (event.type === "publisherEnded" && source?.owner === from) this.#end(turn, source);
    if (event.type === "publisherShared" && source?.owner === from) this.#share(turn, source, event.share);
    if (event.type === "subscribed") this.#subscribe(turn, from, event.url, source);
    if (event.type === "unsubscribed") removeSubscriber(turn, from);
    if (event.type === "answered") this.#answers.take(turn, from, event.answer, source);
  }

  /** Taken also when the owner has ended it meanwhile: whoever published it was told that it was taken. */
  onPublished(turn: Turn, { items }: Publication): void {
    const source = turn.get<PublisherRow>(SOURCE);
    if (source === undefined) throw new MalformedError(`${turn.avatar} is no publisher's source`);
    const fresh = items.filter(({ item }, at) => isNew(turn, item.id) && isFirst(items, at));
    const seen = noteSeen(
      turn,
      source,
      fresh.map(({ item }) => item.id),
    );
    const isNow = ({ dueAt }: PublishedItem) => dueAt === null || dueAt <= turn.nowAt;
    for (const published of fresh) {
      this.#answers.expect(turn, published);
      if (!isNow(published)) plan(turn, published.dueAt ?? 0, TELL, published.item.id, published.item);
    }
    const now = fresh.filter(isNow).map(({ item }) => item);
    this.#tell(turn, { ...source, ...seen }, now);
  }

  onAlarm(turn: Turn): void {
    const source = turn.get<PublisherRow>(SOURCE);
    const due = takeDue(turn);
    this.#answers.onDue(turn, due, source);
    const items = due.filter(({ what }) => what === TELL).map(({ value }) => value as PublishedItem["item"]);
    if (source !== undefined && items.length > 0) this.#tell(turn, source, items);
  }

  onTakenOver(turn: Turn): void {
    this.#answers.sayAgain(turn, turn.get<PublisherRow>(SOURCE));
  }

  onCallbackResult(turn: Turn, result: CallbackResult): void {
    this.#answers.onResult(turn, result);
  }

  onContinue(turn: Turn): void {
    this.#hasLeft = fanOut(turn, []);
  }

  onCall(turn: Turn, call: IncomingCall): void {
    if (call.name !== "publisherStanding" || !this.#askers.includes(call.fromDomain))
      throw new CallError("cancel", "item-not-found", `A source takes no call ${call.name}.`);
    const state = turn.get<PublisherRow>(SOURCE)?.state;
    const standing = state === undefined ? "unknown" : state === "active" ? "open" : "ended";
    turn.onDurable(() => call.reply({ standing }));
  }

  onPollResult(_turn: Turn, _result: PollResult): void {
    throw new MalformedError("a publisher's source polls nothing");
  }

  onReport(_turn: Turn, _report: Report): void {
    // Agents have nothing to say to a source.
  }

  /** Opening it again is how its owner asks whether it is there. */
  #open(
    turn: Turn,
    owner: string,
    { title, secret }: AvatarEvent & { type: "publisherOpened" },
    known: PublisherRow | undefined,
  ): void {
    if (known !== undefined && known.owner !== owner) return;
    const source = known ?? { owner, title, secret, state: "active", seq: 0, seenCount: 0, seenAtSweep: 0 };
    turn.put(SOURCE, source);
    if (source.state === "active") addSubscriber(turn, owner, source.seq);
    sayState(turn, [owner], source);
  }

  /** With another token, or none, all are left out who have come by the one before. */
  #share(turn: Turn, source: PublisherRow, share: string | null): void {
    if ((source.share ?? null) === share) return;
    turn.put(SOURCE, { ...source, share });
    const others = allSubscribers(turn).filter((user) => user !== source.owner);
    for (const user of others) removeSubscriber(turn, user);
    turn.tell(others, { type: "sourceChanged", state: "ended", title: source.title, problem: UNSHARED });
  }

  #subscribe(turn: Turn, user: string, token: string, source: PublisherRow | undefined): void {
    const isShared = typeof source?.share === "string" && isSame(source.share, token);
    if (source?.state === "active" && (isShared || isSubscriber(turn, user))) {
      addSubscriber(turn, user, source.seq);
      sayState(turn, [user], source);
    } else turn.tell([user], { type: "sourceChanged", state: "ended", title: null, problem: NO_SHARE });
  }

  #end(turn: Turn, source: PublisherRow): void {
    const ended = { ...source, state: "ended" } as const;
    turn.put(SOURCE, ended);
    sayState(turn, firstSubscribers(turn), ended);
  }

  #tell(turn: Turn, source: PublisherRow, items: readonly PublishedItem["item"][]): void {
    const told: Notification[] = items.map((item, at) => ({
      ...item,
      source: turn.avatar,
      seq: source.seq + 1 + at,
      receivedAt: turn.nowAt,
    }));
    turn.put(SOURCE, { ...source, seq: source.seq + told.length });
    if (told.length > 0) this.#hasLeft = fanOut(turn, told, this.#hasLeft);
  }
}

function isSame(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}

/** One request may hold the same thing twice. */
function isFirst(items: readonly PublishedItem[], at: number): boolean {
  return items.findIndex(({ item }) => item.id === items[at]?.item.id) === at;
}

function sayState(turn: Turn, to: readonly string[], { state, title }: PublisherRow): void {
  turn.tell(to, { type: "sourceChanged", state, title, problem: state === "ended" ? ENDED : null });
}
