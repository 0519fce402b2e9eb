import {
  type CallArgs,
  cleanText,
  type DeliveryView,
  type HistoryItem as HistoryView,
} from "@tidings/protocol";
import Type, { type Static } from "typebox";
import type { App, Parts } from "../parts.ts";
import { callerIn } from "../session.ts";
import { IdParams, List, literals, Nullable, PROBLEMS, SIGNED_IN, Strict, Time } from "../shapes.ts";
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
  title: Type.String(),
  link: Nullable(Type.String()),
  summary: Nullable(Type.String({ description: "Plain text." })),
  publishedAt: Nullable(Time),
  receivedAt: Time,
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
    q: Type.Optional(Type.String({ maxLength: 200, description: "Words to look for." })),
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

export function historyRoutes(app: App, { avatars }: Parts): void {
  app.get("/v1/history", { schema: listSchema }, async (request) => {
    const { items, next } = await avatars.asUser(callerIn(request), "history", argumentsOf(request.query));
    return { items: items.map(itemOf), next };
  });

  app.get("/v1/history/:id", { schema: readSchema }, async (request) => {
    const view = await avatars.asUser(callerIn(request), "historyItem", request.params);
    return { ...itemOf(view), trace: view.trace.map((step) => ({ ...step, at: rfc3339(step.at) })) };
  });
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

function itemOf(view: HistoryView): Static<typeof HistoryItem> {
  const { id, source, title, link, summary, state } = view;
  return {
    id,
    source,
    title,
    link,
    summary,
    publishedAt: rfc3339OrNull(view.publishedAt),
    receivedAt: rfc3339(view.receivedAt),
    state: state as Static<typeof State>,
    deliveries: view.deliveries.map(deliveryOf),
  };
}

function deliveryOf({ destination, channel, state, at, reason }: DeliveryView): Static<typeof Delivery> {
  return { destination, channel, state, at: rfc3339(at), reason };
}
