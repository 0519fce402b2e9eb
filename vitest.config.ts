import { defineConfig } from "vitest/config";

/** Two projects: `unit` needs no server and takes seconds; `plays` runs against the real servers. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
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
          globalSetup: ["test/stack.ts"],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
