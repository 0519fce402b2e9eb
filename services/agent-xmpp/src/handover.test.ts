import { expect, test } from "vitest";
import { Handover } from "./handover.ts";

const answered = { failure: null, livesSinceMs: null };

test("ten thousand dead domains have one question each in flight, and nothing is kept of them afterwards", () => {
  const handover = new Handover();
  const domains = Array.from({ length: 10_000 }, (_, at) => `dead${at}.test`);
  for (const domain of domains) {
    handover.sent(domain, `${domain} 1`, 1);
    expect(handover.beginAsking(domain)).toBe(true);
    handover.sent(domain, `${domain} 2`, 2);
    expect(handover.beginAsking(domain)).toBe(false);
  }
  for (const domain of domains) {
    expect(handover.endAsking(domain, answered)).toEqual({ taken: [`${domain} 1`], lost: [] });
    expect(handover.beginAsking(domain)).toBe(true);
    expect(handover.endAsking(domain, answered)).toEqual({ taken: [`${domain} 2`], lost: [] });
  }
  expect(handover.domains).toBe(0);
});

test("a domain whose messages all bounced is forgotten when its question ends", () => {
  const handover = new Handover();
  handover.sent("d.test", "1", 1);
  handover.beginAsking("d.test");
  handover.bounced("d.test", "1");
  expect(handover.endAsking("d.test", answered)).toEqual({ taken: [], lost: [] });
  expect(handover.domains).toBe(0);
});

test("a question that is lost takes with it what was sent while it was under way", () => {
  const handover = new Handover();
  handover.sent("d.test", "before", 1);
  handover.beginAsking("d.test");
  handover.sent("d.test", "meanwhile", 2);
  const failed = { failure: "remote-server-timeout", livesSinceMs: null };
  expect(handover.endAsking("d.test", failed)).toEqual({ taken: [], lost: ["before", "meanwhile"] });
  expect(handover.domains).toBe(0);
});

test("a server that lives anew has taken only what was sent since it lives", () => {
  const handover = new Handover();
  handover.sent("d.test", "before", 10);
  handover.sent("d.test", "since", 30);
  handover.beginAsking("d.test");
  handover.sent("d.test", "meanwhile", 40);
  expect(handover.endAsking("d.test", { failure: null, livesSinceMs: 20 })).toEqual({
    taken: ["since"],
    lost: ["before"],
  });
  expect(handover.beginAsking("d.test")).toBe(true);
});

test("a domain of which nothing is unproven is asked only when that is wanted", () => {
  const handover = new Handover();
  expect(handover.beginAsking("d.test")).toBe(false);
  expect(handover.beginAsking("d.test", true)).toBe(true);
  expect(handover.endAsking("d.test", answered)).toEqual({ taken: [], lost: [] });
  expect(handover.domains).toBe(0);
});
