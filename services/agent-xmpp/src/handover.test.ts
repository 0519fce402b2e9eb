import { expect, test } from "vitest";
import { Handover } from "./handover.ts";

test("ten thousand dead domains have one ping each in flight, and nothing is kept of them afterwards", () => {
  const handover = new Handover();
  const domains = Array.from({ length: 10_000 }, (_, at) => `dead${at}.test`);
  for (const domain of domains) {
    handover.sent(domain, `${domain} 1`);
    expect(handover.beginPing(domain)).toBe(true);
    handover.sent(domain, `${domain} 2`);
    expect(handover.beginPing(domain)).toBe(false);
  }
  for (const domain of domains) {
    expect(handover.endPing(domain)).toEqual([`${domain} 1`]);
    expect(handover.beginPing(domain)).toBe(true);
    expect(handover.endPing(domain)).toEqual([`${domain} 2`]);
  }
  expect(handover.domains).toBe(0);
});

test("a domain whose messages all bounced is forgotten when its ping ends", () => {
  const handover = new Handover();
  handover.sent("d.test", "1");
  handover.beginPing("d.test");
  handover.bounced("d.test", "1");
  expect(handover.endPing("d.test")).toEqual([]);
  expect(handover.domains).toBe(0);
});
