import type { Transport } from "../host/connection.ts";

/** Ahead of the playbook: once that may find this package everywhere, each file takes twice as long to be found. */
export const loadSsh = (): Promise<unknown> => import("../host/ssh/transport.ts");

/** The ways to hosts, each loaded when the first host is reached by it: zx alone would cost every start 40 ms. */
export const transports: { readonly ssh: Transport; readonly local: Transport } = {
  ssh: loadedLate(async () => (await import("../host/ssh/transport.ts")).sshTransport()),
  local: loadedLate(async () => (await import("../host/local.ts")).localTransport()),
};

function loadedLate(load: () => Promise<Transport>): Transport {
  let loaded: Promise<Transport> | undefined;
  return {
    async connect(target, options) {
      loaded ??= load();
      return (await loaded).connect(target, options);
    },
  };
}
