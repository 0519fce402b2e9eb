import { crc32 } from "node:zlib";

/** A short word that tells the Erlang nodes of the state folder `home` from those of others on this machine. */
export function tagOf(home: string): string {
  return crc32(home).toString(36);
}
