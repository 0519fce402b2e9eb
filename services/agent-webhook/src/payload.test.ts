import { expect, test } from "vitest";
import { payloadOf } from "./payload.ts";
import { dispatch } from "./stage.ts";

const { notification } = dispatch();

test("a notification says all that is known of it, in times that people read", () => {
  const options = [{ id: "yes", label: "Yes" }];
  const whole = { ...notification, receivedAt: 0, publishedAt: 1_000, options, answerUntilAt: 2_000 };
  expect(payloadOf(dispatch({ notification: whole, sourceTitle: "Rooms", heldSinceAt: 500 }))).toEqual({
    type: "notification",
    timestamp: "1970-01-01T00:00:00.000Z",
    data: {
      id: notification.id,
      title: "Two rooms, quiet street",
      link: notification.link,
      summary: notification.summary,
      author: notification.author,
      source: notification.source,
      options,
      receivedAt: "1970-01-01T00:00:00.000Z",
      publishedAt: "1970-01-01T00:00:01.000Z",
      answerUntil: "1970-01-01T00:00:02.000Z",
      heldSince: "1970-01-01T00:00:00.500Z",
      sourceTitle: "Rooms",
    },
  });
});

test("a digest holds its notifications, and Tidings' own words are no notification", () => {
  const members = [{ id: "a", title: "A", link: null, sourceTitle: null, receivedAt: 0 }];
  expect(payloadOf(dispatch({ members }))).toMatchObject({
    type: "digest",
    data: { items: [{ id: "a", title: "A", receivedAt: "1970-01-01T00:00:00.000Z" }] },
  });
  const code = { ...notification, source: "tidings", title: "482913 is your code for Tidings" };
  expect(payloadOf(dispatch({ notification: code }))).toMatchObject({
    type: "message",
    data: { title: "482913 is your code for Tidings" },
  });
});
