/**
 * The rules of a user: one document that says where their notifications go, and when. What a document leaves out is as in
 * {@link DEFAULT_RULES}, so that `{}` is a good one.
 *
 *     subscription's filter ─▶ mute ─▶ first rule that matches ─▶ pause, quiet hours, digest ─▶ ladder ─▶ held digest
 *
 * Times of day are local to `zone`; durations are ISO 8601 without years and months.
 */
import Type, { type Static } from "typebox";
import { Show } from "../deliveries.ts";
import { Priority } from "../priority.ts";
import { Channel } from "../views.ts";

/** Bounds of a document, so that no user's rules can cost the others anything. */
export const RULE_LIMITS = {
  documentBytes: 65_536,
  rules: 50,
  ladders: 20,
  steps: 12,
  subscriptions: 200,
  quietHours: 10,
  patterns: 50,
  patternChars: 200,
  filterDepth: 6,
  filterParts: 500,
  digest: 100,
} as const;

const Strict = <P extends Type.TProperties>(properties: P) =>
  Type.Object(properties, { additionalProperties: false });
const Nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const Id = Type.String({ minLength: 1, maxLength: 100 });
const Name = Type.String({ minLength: 1, maxLength: 40 });
const DurationText = Type.String({ maxLength: 40 });
const ZoneName = Type.String({ minLength: 1, maxLength: 60 });
const TimeOfDay = Type.String({ pattern: "^([01][0-9]|2[0-3]):[0-5][0-9]$" });

export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export const Day = Type.Enum([...DAYS]);
export type Day = Static<typeof Day>;
const Days = Type.Array(Day, { minItems: 1, maxItems: 7 });

/** The text of a notification that a filter looks at; without one it is title and text. */
export const Field = Type.Enum(["title", "text", "link", "author", "category"]);
export type Field = Static<typeof Field>;

const Text = Type.String({ minLength: 1, maxLength: 200 });

/** One of `all`, `any`, `not`, `contains`, `matches`; `in` goes with the last two. Case does not matter. */
export const Filter = Type.Cyclic(
  {
    Filter: Strict({
      all: Type.Optional(Type.Array(Type.Ref("Filter"), { minItems: 1, maxItems: 50 })),
      any: Type.Optional(Type.Array(Type.Ref("Filter"), { minItems: 1, maxItems: 50 })),
      not: Type.Optional(Type.Ref("Filter")),
      in: Type.Optional(Field),
      contains: Type.Optional(Text),
      matches: Type.Optional(Text),
    }),
  },
  "Filter",
);
export interface Filter {
  readonly all?: readonly Filter[];
  readonly any?: readonly Filter[];
  readonly not?: Filter;
  readonly in?: Field;
  readonly contains?: string;
  readonly matches?: string;
}

/** What must be so for a rung to be used: how the user shows (all IM addresses together where the rung is not `im`). */
export const Condition = Strict({
  presence: Type.Optional(Type.Array(Show, { minItems: 1, maxItems: 6 })),
  /** The user has done something within this time. */
  idleUnder: Type.Optional(DurationText),
  /** The user has done nothing for this long, or is not there. */
  idleFor: Type.Optional(DurationText),
});
export type Condition = Static<typeof Condition>;

/** A rung (`to` or `destination`), a wait, or "go on unless it was received or acked within this time". */
export const Step = Strict({
  to: Type.Optional(Channel),
  destination: Type.Optional(Id),
  when: Type.Optional(Condition),
  wait: Type.Optional(DurationText),
  unless: Type.Optional(Type.Enum(["received", "acked"])),
  within: Type.Optional(DurationText),
});
export type Step = Static<typeof Step>;
export const Ladder = Type.Array(Step, { minItems: 1, maxItems: RULE_LIMITS.steps });
/** The name of a ladder in `ladders`, or the steps themselves. */
const LadderOrName = Type.Union([Name, Ladder]);

const digest = {
  /** Every so long, counted from the start of the epoch … */
  every: Type.Optional(DurationText),
  /** … or at a time of day. */
  at: Type.Optional(TimeOfDay),
  days: Type.Optional(Days),
  /** Most notifications in one digest; what is over comes with the next. */
  most: Type.Optional(Type.Integer({ minimum: 2, maximum: RULE_LIMITS.digest })),
};
export const Digest = Strict(digest);
export type Digest = Static<typeof Digest>;
export const HeldDigest = Strict({ ...digest, to: Channel });
export type HeldDigest = Static<typeof HeldDigest>;

/** For ever, or until a time (RFC 3339). */
export const Mute = Type.Union([
  Type.Boolean(),
  Strict({ until: Type.String({ minLength: 1, maxLength: 40 }) }),
]);
export type Mute = Static<typeof Mute>;

export const SubscriptionRules = Strict({
  filter: Type.Optional(Filter),
  ladder: Type.Optional(LadderOrName),
  mute: Type.Optional(Mute),
  digest: Type.Optional(Digest),
});
export type SubscriptionRules = Omit<Static<typeof SubscriptionRules>, "filter"> & {
  readonly filter?: Filter;
};

/** The first rule whose `when` holds counts; what its `set` leaves open is as the subscription says. */
export const Rule = Strict({
  name: Name,
  when: Strict({
    subscriptions: Type.Optional(Type.Array(Id, { minItems: 1, maxItems: RULE_LIMITS.subscriptions })),
    priorities: Type.Optional(Type.Array(Priority, { minItems: 1, maxItems: 5 })),
    match: Type.Optional(Filter),
  }),
  set: Strict({
    priority: Type.Optional(Priority),
    ladder: Type.Optional(LadderOrName),
    mute: Type.Optional(Mute),
    digest: Type.Optional(Digest),
  }),
});
export interface Rule {
  readonly name: string;
  readonly when: Omit<Static<typeof Rule>["when"], "match"> & { readonly match?: Filter };
  readonly set: Static<typeof Rule>["set"];
}

/** From `from` on each of `days` (all, when left out) to the next `to`; what is not urgent is held meanwhile. */
export const QuietHours = Strict({
  days: Type.Optional(Days),
  from: TimeOfDay,
  to: TimeOfDay,
  zone: Type.Optional(ZoneName),
});
export type QuietHours = Static<typeof QuietHours>;

const properties = {
  /** An IANA time zone. */
  zone: ZoneName,
  /** By name. `default` is for everything that has no other; one named like a priority is for that priority. */
  ladders: Type.Record(Name, Ladder, { maxProperties: RULE_LIMITS.ladders }),
  /** By the id of the subscription. */
  subscriptions: Type.Record(Id, SubscriptionRules, { maxProperties: RULE_LIMITS.subscriptions }),
  rules: Type.Array(Rule, { maxItems: RULE_LIMITS.rules }),
  quietHours: Type.Array(QuietHours, { maxItems: RULE_LIMITS.quietHours }),
  /** What nobody was there for, in one go at another address. */
  held: Strict({ digest: Nullable(HeldDigest) }),
  /** More than `most` of one source `within` this time come together at its end. */
  burst: Nullable(Strict({ most: Type.Integer({ minimum: 1, maximum: 1_000 }), within: DurationText })),
  /** What has the same link (or title) as something that came `within` this time is not told again. */
  dedup: Nullable(Strict({ by: Type.Enum(["link", "title"]), within: DurationText })),
  sms: Strict({ mostPerDay: Type.Integer({ minimum: 0, maximum: 1_000 }) }),
  /** How long the history is kept. */
  retention: DurationText,
};

/** A document as it is given: whatever is left out is as in {@link DEFAULT_RULES}. */
export const RulesInput = Type.Partial(Type.Object(properties), { additionalProperties: false });

/** A whole document. */
export interface Rules {
  readonly zone: string;
  readonly ladders: Readonly<Record<string, readonly Step[]>>;
  readonly subscriptions: Readonly<Record<string, SubscriptionRules>>;
  readonly rules: readonly Rule[];
  readonly quietHours: readonly QuietHours[];
  readonly held: { readonly digest: HeldDigest | null };
  readonly burst: { readonly most: number; readonly within: string } | null;
  readonly dedup: { readonly by: "link" | "title"; readonly within: string } | null;
  readonly sms: { readonly mostPerDay: number };
  readonly retention: string;
}

/**
 * IM as soon as anybody is there. What is urgent goes on at once when nobody is, and after two minutes without a receipt
 * when somebody seems to be; everything else waits, and is mailed once a day if it still does.
 */
export const DEFAULT_RULES: Rules = {
  zone: "UTC",
  ladders: {
    urgent: [{ to: "im" }, { unless: "received", within: "PT2M" }, { to: "sms" }, { to: "email" }],
    default: [{ to: "im" }],
  },
  subscriptions: {},
  rules: [],
  quietHours: [],
  held: { digest: { at: "08:00", to: "email", most: 50 } },
  burst: null,
  dedup: null,
  sms: { mostPerDay: 10 },
  retention: "P30D",
};
