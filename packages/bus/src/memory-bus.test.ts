import { describeBus } from "@tidings/testkit";
import { MemoryExchange } from "./memory-bus.ts";

describeBus("the bus in memory", async () => {
  const exchange = new MemoryExchange();
  const left = exchange.connect("left.test");
  const right = exchange.connect("right.test");
  left.goOnline();
  right.goOnline();
  const interrupt = async () => {
    left.goOffline();
    setImmediate(() => setImmediate(() => left.goOnline()));
  };
  return { left, right, interrupt, close: async () => undefined };
});
