/** What every {@link Driver} promises, as tests: for the one in memory, and for those that start something real. */
import { afterEach, describe, expect, test } from "vitest";
import type { Driver, RunningHost } from "./driver.ts";

export interface DriverStage {
  readonly driver: Driver;
  /** Resolves when what was begun is done. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

/** Runs the tests against what `open` gives, which runs no host yet. */
export function describeDriver(name: string, open: () => Promise<DriverStage>): void {
  let stage: DriverStage;
  afterEach(() => stage?.close());

  const states = async (): Promise<Record<string, RunningHost["state"]>> =>
    Object.fromEntries((await stage.driver.list()).map((host) => [host.name, host.state]));

  describe(name, () => {
    test("a host that is started is listed from then on, and runs in the end", async () => {
      stage = await open();
      expect(await states()).toEqual({});
      await stage.driver.start("h1");
      expect(Object.keys(await states())).toEqual(["h1"]);
      await stage.settle();
      expect(await states()).toEqual({ h1: "running" });
    });

    test("to start what runs, or is being started, does nothing", async () => {
      stage = await open();
      await stage.driver.start("h1");
      await stage.driver.start("h1");
      await stage.settle();
      await stage.driver.start("h1");
      expect(await states()).toEqual({ h1: "running" });
    });

    test("a host that is stopped is stopping until it has ended, and then gone, and can be started again", async () => {
      stage = await open();
      await stage.driver.start("h1");
      await stage.driver.start("h2");
      await stage.settle();
      await stage.driver.stop("h1");
      expect(await states()).toEqual({ h1: "stopping", h2: "running" });
      await stage.driver.stop("h1");
      await stage.settle();
      expect(await states()).toEqual({ h2: "running" });
      await stage.driver.start("h1");
      await stage.settle();
      expect(await states()).toEqual({ h1: "running", h2: "running" });
    });

    test("to stop what does not run does nothing", async () => {
      stage = await open();
      await stage.driver.stop("h1");
      expect(await states()).toEqual({});
    });

    test("what is stopping cannot be started", async () => {
      stage = await open();
      await stage.driver.start("h1");
      await stage.settle();
      await stage.driver.stop("h1");
      await expect(stage.driver.start("h1")).rejects.toThrow("h1 is being stopped");
      await stage.settle();
      expect(await states()).toEqual({});
    });
  });
}
