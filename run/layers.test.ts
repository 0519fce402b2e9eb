import { expect, test } from "vitest";
import { type LayerName, Layers } from "./layers.ts";

function play() {
  const layers = new Layers();
  const stopped: string[] = [];
  const add = (layer: LayerName, name: string, stop: () => Promise<void> = async () => {}) =>
    layers.add(layer, {
      name,
      stop: async () => {
        stopped.push(name);
        await stop();
      },
    });
  return { layers, stopped, add };
}

test("what was started first is stopped last", async () => {
  const { layers, stopped, add } = play();
  for (const [layer, name] of [
    ["ground", "epmd"],
    ["servers", "rabbitmq"],
    ["hosts", "h1"],
    ["front", "web-api"],
  ] as const) {
    add(layer, name);
  }
  expect(await layers.stop()).toEqual([]);
  expect(stopped).toEqual(["web-api", "h1", "rabbitmq", "epmd"]);
});

test("one that does not end is named and does not keep the others", async () => {
  const { layers, stopped, add } = play();
  add("ground", "epmd", () => new Promise(() => {}));
  add("servers", "rabbitmq", () => Promise.reject(new Error("no")));
  expect(await layers.stop()).toEqual(["rabbitmq", "epmd"]);
  expect(stopped).toEqual(["rabbitmq", "epmd"]);
});

test("stopping again stops only what has been added since", async () => {
  const { layers, stopped, add } = play();
  add("servers", "rabbitmq");
  await Promise.all([layers.stop(), layers.stop()]);
  add("servers", "ejabberd");
  await layers.stop();
  expect(stopped).toEqual(["rabbitmq", "ejabberd"]);
});
