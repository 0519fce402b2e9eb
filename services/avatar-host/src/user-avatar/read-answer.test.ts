import { expect, test } from "vitest";
import { readAnswer } from "./read-answer.ts";

const OPTIONS = [
  { id: "restart", label: "Restart it" },
  { id: "wait", label: "Wait" },
  { id: "say", label: "Say", input: true as const },
];

test.each([
  ["1", "restart", null],
  ["restart", "restart", null],
  ["RESTART IT.", "restart", null],
  [" wait! ", "wait", null],
  ["3 on my way", "say", "on my way"],
  ["say: on my way", "say", "on my way"],
  ["3", "say", null],
  ["on my way", "say", "on my way"],
  ["waiting for Bob", "say", "waiting for Bob"],
])("%j is the option %s with %j", (said, id, text) => {
  expect(readAnswer(OPTIONS, said)).toEqual({ option: OPTIONS.find((option) => option.id === id), text });
});

test("without an option that takes words, or with several, words are no answer", () => {
  expect(readAnswer(OPTIONS.slice(0, 2), "on my way")).toBeNull();
  const twice = [...OPTIONS, { id: "ask", label: "Ask", input: true as const }];
  expect(readAnswer(twice, "on my way")).toBeNull();
  expect(readAnswer(twice, "ask why?")).toMatchObject({ option: { id: "ask" }, text: "why?" });
  expect(readAnswer(OPTIONS, "  ")).toBeNull();
});
