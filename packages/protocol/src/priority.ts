import Type, { type Static } from "typebox";

/** How much a notification matters, least first. */
export const Priority = Type.Enum(["min", "low", "default", "high", "urgent"]);
export type Priority = Static<typeof Priority>;
