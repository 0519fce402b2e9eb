import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeliveryMemory } from "@tidings/agent";
import { dispatchTo } from "@tidings/agent/silo-stage";
import type { DeliveryReport, Dispatch } from "@tidings/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Ledger } from "./ledger.ts";

const NUMBER = "+12025550100";
const PHONE = { number: NUMBER, prefix: "+1202555" };
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
let folder: string;
let ledger: Ledger;
let memory: DeliveryMemory;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ledger-"));
  open();
});
afterEach(() => {
  ledger.close();
  rmSync(folder, { recursive: true });
});

function open() {
  ledger = new Ledger(join(folder, "sms.sqlite"));
  memory = new DeliveryMemory(ledger);
}

function reopen() {
  ledger.close();
  open();
}

function dispatch(n: number, changes: Partial<Dispatch> = {}): Dispatch {
  const sample = dispatchTo(NUMBER, changes);
  return { ...sample, notification: { ...sample.notification, id: n.toString(16).padStart(32, "0") } };
}

test("what was begun is remembered for 24 hours, also by the next life of the agent", () => {
  expect(typeof memory.begin(dispatch(1), 0)).toBe("string");
  reopen();
  expect(typeof memory.begin(dispatch(1), DAY_MS - 1)).toBe("object");
  expect(typeof memory.begin(dispatch(1, { attempt: 2 }), DAY_MS - 1)).toBe("string");
  expect(typeof memory.begin(dispatch(1, { attempt: 2 }), 2 * DAY_MS)).toBe("string");
});

test("what became of a delivery only goes forward, and is said again to who asks", () => {
  const key = memory.begin(dispatch(1), 0) as string;
  expect(memory.advance(key, "handed", 1)).toMatchObject({ state: "handed", attempt: 1 });
  expect(memory.advance(key, "received", 2)).toMatchObject({ state: "received" });
  expect(memory.advance(key, "handed", 3)).toBeNull();
  reopen();
  expect(memory.begin(dispatch(1), 4)).toMatchObject({ report: { state: "received" }, address: NUMBER });
});

test("a message keeps its reference at a phone over its attempts, and each phone counts for itself", () => {
  const key = memory.begin(dispatch(1), 1) as string;
  memory.begin(dispatch(2), 2);
  memory.begin(dispatch(3, { address: "+447400123456" }), 3);
  memory.begin(dispatch(1, { attempt: 2 }), 4);
  expect(ledger.entry(key)).toMatchObject({ reference: 1, attempt: 2 });
  expect(ledger.atPhone(NUMBER, 2)?.notification).toBe(dispatch(2).notification.id);
  expect(ledger.atPhone(NUMBER, 3)).toBeUndefined();
  expect(ledger.atPhone("+447400123456", 1)?.notification).toBe(dispatch(3).notification.id);
});

test("references begin anew after 999, and the newest of a number is meant", () => {
  for (let n = 1; n <= 1_000; n++) memory.begin(dispatch(n), n);
  expect(ledger.atPhone(NUMBER, 1)?.notification).toBe(dispatch(1_000).notification.id);
});

test("a message that is sent again does not give its successor's reference away", () => {
  for (const n of [1, 2, 3]) memory.begin(dispatch(n), n);
  memory.begin(dispatch(1, { attempt: 2 }), 4);
  const key = memory.begin(dispatch(4), 5) as string;
  expect(ledger.entry(key)?.reference).toBe(4);
});

test("the last message of a phone is the last one that the provider took", () => {
  const keys = [1, 2, 3].map((n) => memory.begin(dispatch(n), n) as string);
  expect(ledger.lastAtPhone(NUMBER)).toBeUndefined();
  ledger.named(String(keys[0]), "SM1");
  ledger.named(String(keys[1]), "SM2");
  expect(ledger.lastAtPhone(NUMBER)?.key).toBe(keys[1]);
});

test("what fails halfway has written nothing", () => {
  const failing = () => {
    memory.begin(dispatch(1), 1);
    throw new Error("halfway");
  };
  expect(() => ledger.inOneCommit(failing)).toThrow("halfway");
  expect(ledger.inOneCommit(() => typeof memory.begin(dispatch(1), 2))).toBe("string");
  reopen();
  expect(memory.begin(dispatch(1), 3)).toMatchObject({ attempt: 1 });
});

test("a new attempt forgets the provider's name of the last one", () => {
  const key = memory.begin(dispatch(1), 1) as string;
  ledger.named(key, "SM1");
  expect(ledger.bySid("SM1")?.key).toBe(key);
  memory.begin(dispatch(1, { attempt: 2 }), 2);
  expect(ledger.entry(key)?.sid).toBeNull();
});

test("the caps see what was sent in 24 hours and in the last one, across a restart", () => {
  ledger.spend(PHONE, 2, 0);
  ledger.spend({ ...PHONE, number: "+12025550101" }, 1, DAY_MS - HOUR_MS);
  ledger.openBreaker(7);
  ledger.setStopped(NUMBER, true, 0);
  reopen();
  const usage = {
    ofNumber: 1,
    ofPrefix: 2,
    segmentsOfDay: 3,
    segmentsOfHour: 1,
    isStopped: true,
    brokenUntilAt: 7,
  };
  expect(ledger.usage(PHONE, DAY_MS - 1)).toEqual(usage);
  ledger.setStopped(NUMBER, false, 0);
  expect(ledger.usage(PHONE, DAY_MS)).toMatchObject({
    ofNumber: 0,
    ofPrefix: 1,
    segmentsOfDay: 1,
    isStopped: false,
  });
});

test("an answer is taken once, and what was reported lately is there to be said again", () => {
  const key = memory.begin(dispatch(1), 1) as string;
  const handed = memory.advance(key, "handed", 5) as DeliveryReport;
  const acted = { ...handed, state: "acted" as const, at: 6 };
  expect(ledger.noteDeed("SM2", acted, 6)).toBe(true);
  expect(ledger.noteDeed("SM2", acted, 7)).toBe(false);
  reopen();
  expect(ledger.reportsSince(5).map(({ state }) => state)).toEqual(["handed", "acted"]);
  expect(ledger.reportsSince(6).map(({ state }) => state)).toEqual(["acted"]);
});

test("what is older than 30 days is forgotten", () => {
  memory.begin(dispatch(1), 0);
  memory.begin(dispatch(2), 31 * DAY_MS);
  expect(ledger.atPhone(NUMBER, 1)).toBeUndefined();
  expect(ledger.atPhone(NUMBER, 2)).toBeDefined();
});
