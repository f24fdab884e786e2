import { HostKeys } from "./host-key.ts";
import { type Credentials, Keyring } from "./keys.ts";
import { KnownHostsFiles } from "./known-hosts-files.ts";
import type { Route } from "./route.ts";

/** What a handshake needs to know; read before the socket is opened, as sshd may close it at any moment after. */
export interface Passport {
  readonly route: Route;
  readonly keys: HostKeys;
  readonly login: Credentials;
}

/** Passports for the hosts of a run: files that many of them share are read once. */
export class Passports {
  readonly #knownHosts = new KnownHostsFiles();
  readonly #keyring = new Keyring();

  async for(route: Route): Promise<Passport> {
    const { names, files } = route.knownHosts;
    const [own, elsewhere, login] = await Promise.all([
      this.#knownHosts.entriesFor(names.slice(0, 1), files),
      this.#knownHosts.entriesFor(names.slice(1), files),
      this.#keyring.credentials(route),
    ]);
    return { route, keys: new HostKeys(route.knownHosts, { own, elsewhere }), login };
  }
}
