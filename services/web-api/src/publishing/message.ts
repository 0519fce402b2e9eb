/** One thing to tell, as a program may write it in JSON; headers and plain text are brought into this form first. */
import type { Static } from "typebox";
import Type from "typebox";
import { PriorityInput } from "../priority.ts";
import { Strict } from "../shapes.ts";

const Option = Type.Union([
  Type.String({ minLength: 1, maxLength: 200, description: "Its label." }),
  Strict({
    id: Type.Optional(Type.String({ pattern: "^[A-Za-z0-9_-]{1,32}$" })),
    label: Type.String({ minLength: 1, maxLength: 200 }),
    input: Type.Optional(Type.Boolean({ description: "Whether words of the user's own go with it." })),
  }),
]);

export const Message = Strict(
  {
    title: Type.Optional(Type.String({ maxLength: 20_000 })),
    message: Type.Optional(Type.String({ description: "What goes below the title.", maxLength: 200_000 })),
    link: Type.Optional(Type.String({ maxLength: 10_000, description: "An http or https address." })),
    priority: Type.Optional(PriorityInput),
    tags: Type.Optional(Type.Array(Type.String({ maxLength: 1_000 }), { maxItems: 50 })),
    author: Type.Optional(Type.String({ maxLength: 2_000 })),
    dedupKey: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 500,
        description: "What comes with the same key is told once.",
      }),
    ),
    at: Type.Optional(
      Type.String({ maxLength: 60, description: "When to tell it: RFC 3339 or Unix seconds." }),
    ),
    delay: Type.Optional(Type.String({ maxLength: 60, description: "In how long: 30m, 2h, PT30M." })),
    options: Type.Optional(
      Type.Array(Option, { minItems: 1, maxItems: 20, description: "What the user can answer." }),
    ),
    callback: Type.Optional(
      Type.String({
        maxLength: 2_000,
        description: "Where answers are posted, signed; needed with options.",
      }),
    ),
    answerWithin: Type.Optional(
      Type.String({ maxLength: 60, description: "For how long an answer counts: 30m, 2h, PT30M." }),
    ),
  },
  {
    examples: [
      {
        title: "Disk full",
        message: "/var has 1 % left",
        priority: "high",
        tags: ["db1"],
        dedupKey: "disk-db1",
      },
    ],
  },
);
export type Message = Static<typeof Message>;
