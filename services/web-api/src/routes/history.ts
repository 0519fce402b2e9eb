import {
  ANSWER_CHARS,
  type CallArgs,
  cleanText,
  type DeliveryView,
  durationMs,
  type HistoryItemWithTrace,
  type HistoryItem as HistoryView,
  MAX_SNOOZE_MS,
  type MailSender,
  MIN_SNOOZE_MS,
  OPTION_LIMITS,
} from "@tidings/protocol";
import Type, { type Static } from "typebox";
import { operationId } from "../avatar-calls.ts";
import type { App, Parts } from "../parts.ts";
import { Problem } from "../problem.ts";
import { callerIn } from "../session.ts";
import {
  ChangeHeaders,
  IdParams,
  List,
  literals,
  Nullable,
  PROBLEMS,
  SIGNED_IN,
  Strict,
  Time,
} from "../shapes.ts";
import { rfc3339, rfc3339OrNull } from "../times.ts";

const DELIVERY_STATES = [
  "held",
  "dispatched",
  "handed",
  "received",
  "displayed",
  "acted",
  "refused",
  "expired",
  "skipped",
] as const;
const OWN_STATES = ["unread", "read", "acked", "snoozed"] as const;
const DeliveryState = literals(DELIVERY_STATES);
const State = literals([...DELIVERY_STATES, ...OWN_STATES]);

const Delivery = Type.Object({
  destination: Type.String(),
  channel: literals(["im", "sms", "email", "web", "feed", "webhook"]),
  state: DeliveryState,
  at: Time,
  reason: Type.String(),
});

const HistoryItem = Type.Object({
  id: Type.String(),
  source: Type.String({ description: "Id of the subscription." }),
  sourceTitle: Type.String({ description: "What the subscription is called." }),
  title: Type.String(),
  link: Nullable(Type.String()),
  summary: Nullable(Type.String({ description: "Plain text." })),
  author: Nullable(Type.String()),
  publishedAt: Nullable(Time),
  receivedAt: Time,
  categories: Type.Optional(Type.Array(Type.String())),
  enclosures: Type.Optional(
    Type.Array(
      Type.Object({ url: Type.String(), type: Nullable(Type.String()), bytes: Nullable(Type.Number()) }),
      {
        description: "Files that belong to it, such as an episode.",
      },
    ),
  ),
  image: Type.Optional(Type.String({ description: "Address of a picture." })),
  editOf: Type.Optional(
    Type.String({ description: "Id of the notification of which this is a later state." }),
  ),
  options: Type.Optional(
    Type.Array(
      Type.Object({ id: Type.String(), label: Type.String(), input: Type.Optional(Type.Boolean()) }),
      {
        description: "What can be answered, with POST …/reply.",
      },
    ),
  ),
  answerUntil: Type.Optional(Type.String({ description: "Until when, RFC 3339." })),
  sender: Type.Optional(
    Type.Object(
      { address: Type.String(), proven: Type.Boolean(), checks: Type.Record(Type.String(), Type.String()) },
      { description: "Of a mail: who it says that it is from, and whether that domain vouches for it." },
    ),
  ),
  unsubscribe: Type.Optional(
    Type.String({ description: "Of a mail to a list: where that is left, https or mailto." }),
  ),
  state: State,
  deliveries: Type.Array(Delivery),
});

const TraceStep = Type.Object({
  at: Time,
  destination: Nullable(Type.String()),
  state: Nullable(DeliveryState),
  what: Type.String({ description: "The decision or the report, in words." }),
  because: Type.Optional(
    Type.String({ description: "Of a decision: its reason as a word, such as quiet or unconfirmed." }),
  ),
});

const ItemWithTrace = Type.Object({ ...HistoryItem.properties, trace: Type.Array(TraceStep) });

const shared = { tags: ["history"], security: SIGNED_IN } as const;

const listSchema = {
  ...shared,
  operationId: "listHistory",
  summary: "Notifications, newest first",
  querystring: Strict({
    // A number, because the conversion of a query to an integer would cut a fraction off in silence.
    limit: Type.Optional(Type.Number({ multipleOf: 1, minimum: 1, maximum: 200, default: 50 })),
    cursor: Type.Optional(Type.String({ maxLength: 100, description: "The next of the page before." })),
    source: Type.Optional(Type.String({ maxLength: 100, description: "Id of a subscription." })),
    q: Type.Optional(
      Type.String({ maxLength: 200, description: 'Words that all have to occur, or a "phrase".' }),
    ),
    state: Type.Optional(State),
  }),
  response: { 200: List(HistoryItem), ...PROBLEMS },
} as const;

const readSchema = {
  ...shared,
  operationId: "readHistoryItem",
  summary: "One notification, with each decision and report in order",
  params: IdParams,
  response: { 200: ItemWithTrace, ...PROBLEMS },
} as const;

const act = (operationId: string, summary: string) =>
  ({
    ...shared,
    operationId,
    summary,
    params: IdParams,
    headers: ChangeHeaders,
    response: { 200: ItemWithTrace, ...PROBLEMS },
  }) as const;

const readItSchema = act(
  "markRead",
  "Note that a notification was read: nobody waits any more for proof that it has come",
);
const ackSchema = act("acknowledge", "See to a notification: what is held of it elsewhere is left out");
const redeliverSchema = act("redeliver", "Have a notification come again now");
const snoozeSchema = {
  ...act("snooze", "Put a notification off: it comes again after that"),
  body: Strict(
    { for: Type.String({ maxLength: 40, description: "ISO 8601 duration, from PT1M to P30D." }) },
    { examples: [{ for: "PT1H" }] },
  ),
} as const;

const replySchema = {
  ...act("reply", "Answer the source with one of the options of a notification"),
  body: Strict(
    {
      option: Type.Optional(Type.String({ maxLength: OPTION_LIMITS.id })),
      text: Type.Optional(
        Type.String({ maxLength: ANSWER_CHARS, description: "Where the option takes words." }),
      ),
    },
    { minProperties: 1, examples: [{ option: "restart" }] },
  ),
} as const;

export function historyRoutes(app: App, { avatars }: Parts): void {
  app.get("/v1/history", { schema: listSchema }, async (request) => {
    const { items, next } = await avatars.asUser(callerIn(request), "history", argumentsOf(request.query));
    return { items: items.map(itemOf), next };
  });

  app.get("/v1/history/:id", { schema: readSchema }, async (request) => {
    const view = await avatars.asUser(callerIn(request), "historyItem", request.params);
    return withTrace(view);
  });

  app.post("/v1/history/:id/read", { schema: readItSchema }, async (request) => {
    const caller = callerIn(request);
    const op = operationId(request, caller.name, "read");
    return withTrace(await avatars.asUser(caller, "markRead", request.params, op));
  });

  app.post("/v1/history/:id/ack", { schema: ackSchema }, async (request) => {
    const caller = callerIn(request);
    const op = operationId(request, caller.name, "ack");
    return withTrace(await avatars.asUser(caller, "acknowledge", request.params, op));
  });

  app.post("/v1/history/:id/snooze", { schema: snoozeSchema }, async (request) => {
    const caller = callerIn(request);
    const args = { id: request.params.id, forMs: snoozeMs(request.body.for) };
    const op = operationId(request, caller.name, "snooze");
    return withTrace(await avatars.asUser(caller, "snooze", args, op));
  });

  app.post("/v1/history/:id/reply", { schema: replySchema }, async (request) => {
    const caller = callerIn(request);
    const { option = null, text } = request.body;
    const args = {
      id: request.params.id,
      option,
      text: text === undefined ? null : cleanText(text).trim() || null,
    };
    const op = operationId(request, caller.name, "reply");
    return withTrace(await avatars.asUser(caller, "reply", args, op));
  });

  app.post("/v1/history/:id/redeliver", { schema: redeliverSchema }, async (request) => {
    const caller = callerIn(request);
    const op = operationId(request, caller.name, "redeliver");
    return withTrace(await avatars.asUser(caller, "redeliver", request.params, op));
  });
}

/** Milliseconds. Throws a Problem when it is no duration, or too short or long. */
function snoozeMs(text: string): number {
  const ms = durationMs(text);
  if (ms !== null && ms >= MIN_SNOOZE_MS && ms <= MAX_SNOOZE_MS) return ms;
  throw new Problem(
    422,
    `for: ${JSON.stringify(text)} is no duration from PT1M to P30D, such as PT1H or P1D.`,
  );
}

function withTrace(view: HistoryItemWithTrace): Static<typeof ItemWithTrace> {
  return { ...itemOf(view), trace: view.trace.map((step) => ({ ...step, at: rfc3339(step.at) })) };
}

function argumentsOf(query: Static<typeof listSchema.querystring>): CallArgs<"history"> {
  const orNull = (text: string | undefined) => cleanText(text ?? "").trim() || null;
  return {
    limit: query.limit ?? 50,
    cursor: orNull(query.cursor),
    source: orNull(query.source),
    q: orNull(query.q),
    state: query.state ?? null,
  };
}

/** As the interface shows it. */
export function itemOf(view: HistoryView): Static<typeof HistoryItem> {
  const { id, source, sourceTitle, title, link, summary, author, state } = view;
  const { categories, enclosures, image, editOf } = view;
  return {
    id,
    source,
    sourceTitle,
    title,
    link,
    summary,
    author,
    ...(categories === undefined ? {} : { categories: [...categories] }),
    ...(enclosures === undefined ? {} : { enclosures: enclosures.map((one) => ({ ...one })) }),
    ...(image === undefined ? {} : { image }),
    ...(editOf === undefined ? {} : { editOf }),
    publishedAt: rfc3339OrNull(view.publishedAt),
    receivedAt: rfc3339(view.receivedAt),
    ...(view.options === undefined ? {} : { options: [...view.options] }),
    ...(view.answerUntilAt == null ? {} : { answerUntil: rfc3339(view.answerUntilAt) }),
    ...(view.sender === undefined ? {} : { sender: senderOf(view.sender) }),
    ...(view.unsubscribe === undefined ? {} : { unsubscribe: view.unsubscribe }),
    state: state as Static<typeof State>,
    deliveries: view.deliveries.map(deliveryOf),
  };
}

function senderOf({ address, isProven, checks }: MailSender) {
  return { address, proven: isProven, checks: { ...checks } };
}

function deliveryOf({ destination, channel, state, at, reason }: DeliveryView): Static<typeof Delivery> {
  return { destination, channel, state, at: rfc3339(at), reason };
}
