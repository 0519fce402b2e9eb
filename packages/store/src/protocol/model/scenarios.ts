/** What the model is tried on; together they are small enough for the unit tests. */
import type { Scenario } from "./world.ts";

const QUIET = { checkpoints: [0, 0, 0], releases: [false, false, false], hasEffects: false };

/** By name, so that a mutant can say where it is caught. */
export const SCENARIOS = {
  parts: {
    ...QUIET,
    name: "two owners, commits of two slots, three faults",
    commits: [[2, 1], [1]],
    hosts: [0, 1],
    faults: 3,
  },
  takeovers: {
    ...QUIET,
    name: "three owners, two takeovers in a row",
    commits: [[1], [1], [1]],
    hosts: [0, 1, 2],
    faults: 1,
  },
  effects: {
    ...QUIET,
    name: "three owners whose effects leave through the router",
    commits: [[1], [1], [1]],
    hosts: [0, 1, 2],
    hasEffects: true,
    faults: 0,
  },
  files: {
    ...QUIET,
    name: "a host that comes back with its file while a deposed owner is in its checkpoint",
    commits: [[1, 1], [1], []],
    hosts: [0, 1, 0],
    checkpoints: [0, 1, 0],
    faults: 0,
  },
  checkpoints: {
    ...QUIET,
    name: "a takeover amid checkpoints and trimming",
    commits: [[1, 2], [1]],
    hosts: [0, 1],
    checkpoints: [2, 1],
    faults: 0,
  },
  sleeper: {
    ...QUIET,
    name: "an owner that sleeps through checkpoints of its successor",
    commits: [
      [1, 1],
      [1, 1],
    ],
    hosts: [0, 1],
    checkpoints: [0, 1],
    faults: 1,
  },
  releases: {
    ...QUIET,
    name: "releases that race takeovers",
    commits: [[2], [1], []],
    hosts: [0, 1, 0],
    releases: [true, false, false],
    hasEffects: true,
    faults: 0,
  },
} as const satisfies Record<string, Scenario>;
