/** How rules are read, put and tried out by a call. Times are epoch milliseconds. */
import Type, { type Static } from "typebox";
import { Show } from "../deliveries.ts";
import { ITEM_LIMITS } from "../notification.ts";
import { Priority } from "../priority.ts";
import { Channel, ReasonCode } from "../views.ts";
import { RuleProblem } from "./problem.ts";

const Nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

export const RulesView = Type.Object({
  version: Type.Integer({ minimum: 0 }),
  /** A whole document. */
  rules: Type.Unknown(),
});
export type RulesView = Static<typeof RulesView>;

/** What became of a document that was put, and the version now: `stale` when it was not the expected one. */
export const RulesAnswer = Type.Union([
  Type.Object({ outcome: Type.Literal("stored"), version: Type.Integer({ minimum: 0 }) }),
  Type.Object({ outcome: Type.Literal("stale"), version: Type.Integer({ minimum: 0 }) }),
  Type.Object({ outcome: Type.Literal("refused"), problems: Type.Array(RuleProblem) }),
]);
export type RulesAnswer = Static<typeof RulesAnswer>;

/** A notification that nobody has published. What is left out is empty. */
export const ImaginedNotification = Type.Object({
  title: Type.String({ maxLength: ITEM_LIMITS.title }),
  /** Id of a subscription, or of none. */
  source: Type.Optional(Type.String({ minLength: 1, maxLength: 80 })),
  summary: Type.Optional(Nullable(Type.String({ maxLength: ITEM_LIMITS.summary }))),
  link: Type.Optional(Nullable(Type.String({ maxLength: ITEM_LIMITS.link }))),
  author: Type.Optional(Nullable(Type.String({ maxLength: ITEM_LIMITS.author }))),
  categories: Type.Optional(
    Type.Array(Type.String({ maxLength: ITEM_LIMITS.category }), { maxItems: ITEM_LIMITS.categories }),
  ),
  priority: Type.Optional(Priority),
});
export type ImaginedNotification = Static<typeof ImaginedNotification>;

/** How the user would show at one of their IM addresses, or at an open page. */
export const ImaginedPresence = Type.Object({
  /** Left out: the first verified IM address. `web`: an open page. */
  address: Type.Optional(Type.String({ maxLength: 3_071 })),
  show: Show,
  idleSinceAt: Type.Optional(Nullable(Type.Number())),
});
export type ImaginedPresence = Static<typeof ImaginedPresence>;

export const SimulateArgs = Type.Object({
  /** One of the two: a notification of the history by its id, as it was when it came, or one that is made up. */
  historyId: Nullable(Type.String({ maxLength: 100 })),
  notification: Nullable(ImaginedNotification),
  /** Null: as the user is now. */
  presence: Nullable(Type.Array(ImaginedPresence, { maxItems: 20 })),
  /** Null: now. */
  at: Nullable(Type.Number()),
});

export const Simulation = Type.Object({
  at: Type.Number(),
  /** After the rules. */
  priority: Priority,
  /** The rule that matched. */
  rule: Nullable(Type.String()),
  decisions: Type.Array(
    Type.Object({
      destination: Type.String(),
      channel: Channel,
      action: Type.Enum(["dispatch", "hold", "skip"]),
      untilAt: Nullable(Type.Number()),
      because: ReasonCode,
      reason: Type.String(),
    }),
  ),
});
export type Simulation = Static<typeof Simulation>;
