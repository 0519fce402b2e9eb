import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/longest-first.ts";

/**
 * Four projects: `unit` needs no server and takes seconds; `plays` run against the real servers, two files at a time; `faults` do
 * too, one by one, because they kill what others need or need the machine for themselves; `crash` has an installation of its own.
 */
const patient = {
  testTimeout: 120_000,
  hookTimeout: 120_000,
  expect: { poll: { timeout: 10_000 } },
};
const onServers = { globalSetup: ["test/stack.ts"], ...patient };

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: "unit",
          // Files share what they load: to load it for each of them took a third of the time. None leaves anything behind in a module.
          isolate: false,
          // What takes a second alone takes many where others use the machine.
          testTimeout: 60_000,
          include: [
            "packages/*/src/**/*.test.ts",
            "services/*/src/**/*.test.ts",
            "run/**/*.test.ts",
            "cli/**/*.test.ts",
            "bench/**/*.test.ts",
            "test/**/*.unit.test.ts",
          ],
        },
      },
      {
        test: {
          name: "plays",
          include: ["test/**/*.play.test.ts"],
          // Most of their time is waiting.
          maxWorkers: 2,
          ...onServers,
        },
      },
      {
        test: {
          name: "faults",
          include: ["test/**/*.fault.test.ts"],
          fileParallelism: false,
          ...onServers,
        },
      },
      { test: { name: "crash", include: ["test/**/*.crash.test.ts"], ...patient } },
    ],
  },
});
