import { expect, test } from "vitest";
import { createAddressGuard, ForbiddenAddressError, type Resolve } from "./address-guard.ts";

const nobody: Resolve = async () => [];
const guard = createAddressGuard([], nobody);

test.each([
  ...[
    "127.0.0.1",
    "127.9.9.9",
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
  ],
  ...[
    "192.0.0.1",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "255.255.255.255",
  ],
  ...[
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "fc00::1",
    "fd12::1",
    "fe80::1",
  ],
  ...[
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2001::1",
    "2001:db8::1",
  ],
  ...["100::1", "3fff::1", "5f00::1", "no address", ""],
])("%s is not fetched from", (address) => {
  expect(guard.permits(address, 443)).toBe(false);
});

test.each([
  "1.1.1.1",
  "93.184.216.34",
  "172.32.0.1",
  "192.169.0.1",
  "100.128.0.1",
  "2606:4700::1111",
  "2a00:1450:4001::1",
])("%s is public", (address) => {
  expect(guard.permits(address, 443)).toBe(true);
});

test.each([22, 25, 4369, 5222, 5269, 5672, 6379, 15672])("port %i is not the web's", (port) => {
  expect(guard.permits("1.1.1.1", port)).toBe(false);
});

test("an allowed network is exempt from every rule, its neighbours are not", () => {
  const intranet = createAddressGuard(["10.1.0.0/16", "::1"], nobody);
  expect(intranet.permits("10.1.2.3", 25)).toBe(true);
  expect(intranet.permits("::1", 80)).toBe(true);
  expect(intranet.permits("10.2.0.1", 80)).toBe(false);
});

test("a name that has public and private addresses is reached at its public ones only", async () => {
  const resolve: Resolve = async () => [
    { address: "10.0.0.1", family: 4 },
    { address: "1.1.1.1", family: 4 },
  ];
  expect(await lookedUp(resolve)).toEqual([{ address: "1.1.1.1", family: 4 }]);
});

test("a name that answers with private addresses only is refused, however often it was public before", async () => {
  const answers = ["1.1.1.1", "127.0.0.1"];
  const resolve: Resolve = async () => [{ address: answers.shift() ?? "127.0.0.1", family: 4 }];
  expect(await lookedUp(resolve)).toEqual([{ address: "1.1.1.1", family: 4 }]);
  await expect(lookedUp(resolve)).rejects.toBeInstanceOf(ForbiddenAddressError);
});

function lookedUp(resolve: Resolve): Promise<unknown> {
  return new Promise((done, reject) => {
    createAddressGuard([], resolve).lookupFor(443)("name.example", { all: true }, (error, address) =>
      error === null ? done(address) : reject(error),
    );
  });
}
