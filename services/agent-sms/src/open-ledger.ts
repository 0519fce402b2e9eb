import { openLedgerFile } from "@tidings/agent";
import { Ledger } from "./ledger.ts";

/** The ledger of the state folder `home`; see {@link openLedgerFile} for how it is kept and with what it throws. */
export function openLedger(home: string): Ledger {
  return openLedgerFile(home, "sms", (path) => new Ledger(path));
}
