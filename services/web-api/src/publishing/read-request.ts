/**
 * What a request to a publisher's address holds: JSON (one message or an array of them), or text whose first line is the
 * title; headers say the rest, in the names that people know from ntfy (https://docs.ntfy.sh/publish/). Pure.
 */
import { check, ITEMS_PER_RESULT, shapeErrors } from "@tidings/protocol";
import Type from "typebox";
import { Problem } from "../problem.ts";
import { Message } from "./message.ts";

export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Names of the headers for each field, each also with `x-` before it. */
const HEADERS = {
  title: ["title", "t"],
  link: ["link", "click"],
  priority: ["priority", "prio", "p"],
  tags: ["tags", "tag", "ta"],
  dedupKey: ["dedup-key"],
  at: ["at"],
  delay: ["delay", "in"],
  options: ["options", "actions"],
  callback: ["callback"],
  answerWithin: ["answer-within"],
} as const;

/** Words of others for our priorities. */
const PRIORITY_WORDS: Readonly<Record<string, string>> = { max: "urgent", normal: "default" };

/** The messages of a request with this body. Throws Problem 422 that says what is wrong and where. */
export function readRequest(body: Buffer, headers: Headers): Message[] {
  const said = saidByHeaders(headers);
  if (!/^application\/([\w.-]+\+)?json\b/i.test(String(headers["content-type"] ?? ""))) {
    return [checked({ ...textMessage(body.toString("utf8"), said.title !== undefined), ...said }, "")];
  }
  const value = jsonIn(body);
  if (!Array.isArray(value)) return [checked({ ...objectIn(value, ""), ...said }, "")];
  if (value.length === 0 || value.length > ITEMS_PER_RESULT)
    throw new Problem(422, `One request holds 1 to ${ITEMS_PER_RESULT} messages, this one ${value.length}.`);
  return value.map((one, at) => checked({ ...objectIn(one, `/${at}`), ...said }, `/${at}`));
}

function saidByHeaders(headers: Headers): Record<string, unknown> {
  const said: Record<string, unknown> = {};
  for (const [field, names] of Object.entries(HEADERS)) {
    const value = names.map((name) => headers[name] ?? headers[`x-${name}`]).find((one) => one !== undefined);
    if (value !== undefined) said[field] = fieldOf(field, utf8(String(value)));
  }
  return said;
}

function fieldOf(field: string, value: string): unknown {
  if (field === "tags" || field === "options") return value.split(",").flatMap((one) => one.trim() || []);
  if (field !== "priority") return value;
  const word = value.trim().toLowerCase();
  return /^\d$/.test(word) ? Number(word) : (PRIORITY_WORDS[word] ?? word);
}

/** Node reads headers as Latin-1; programs write them as UTF-8. */
function utf8(value: string): string {
  const text = Buffer.from(value, "latin1").toString("utf8");
  return text.includes("\ufffd") ? value : text;
}

function textMessage(text: string, hasTitle: boolean): { title?: string; message?: string } {
  const whole = text.trim();
  if (hasTitle) return whole === "" ? {} : { message: whole };
  const [title = "", ...rest] = whole.split(/\r?\n/);
  const message = rest.join("\n").trim();
  return message === "" ? { title } : { title, message };
}

function jsonIn(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch (cause) {
    const sentence = "The body is not JSON; send it so, or leave Content-Type out to send plain text.";
    throw new Problem(400, sentence, { cause });
  }
}

function objectIn(value: unknown, pointer: string): object {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new Problem(422, "A message is a JSON object; see /docs.", {
    errors: [{ pointer, detail: "is not an object" }],
  });
}

function checked(value: object, pointer: string): Message {
  const errors = shapeErrors(Message, value).map((error) => ({
    pointer: pointer + error.pointer,
    detail: error.message,
  }));
  const [first] = errors;
  if (first !== undefined)
    throw new Problem(422, `${first.pointer || "The message"} ${first.detail}; see /docs.`, { errors });
  return check(Message, value, "message");
}

/** For the reference: the body is any of these. */
export const RequestBody = Type.Union([Message, Type.Array(Message), Type.String()]);
