import { describeDriver } from "./describe-driver.ts";
import { MemoryDriver } from "./memory-driver.ts";

describeDriver("the driver in memory", async () => {
  const driver = new MemoryDriver();
  return { driver, settle: async () => driver.goesOn(), close: async () => undefined };
});
