/** etcdctl on a control plane, with kubeadm's client certificate. */
import { type Command, script } from "#engine/index.ts";

const ETCDCTL = `# etcdctl
pki=/etc/kubernetes/pki/etcd
exec etcdctl --endpoints 'https://[::1]:2379' --cacert $pki/ca.crt \\
  --cert $pki/healthcheck-client.crt --key $pki/healthcheck-client.key --command-timeout 20s "$@"`;

/** @example etcdctl("member", "list") */
export const etcdctl = (...args: readonly string[]): Command => script(ETCDCTL, ...args);

/** A member as `etcdctl member list` prints it. Its id has 64 bits, more than numbers of JSON keep: text. */
export interface EtcdMember {
  readonly id: string;
  readonly started: boolean;
  /** Empty until it has started once. */
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly learner: boolean;
}

/** The members out of what `etcdctl member list` prints. */
export const parseMembers = (printed: string): EtcdMember[] =>
  printed
    .split("\n")
    .filter((line) => line.includes(", "))
    .map((line) => {
      const [id = "", status, name = "", peers = "", , learner] = line.split(", ");
      return {
        id,
        started: status === "started",
        name,
        peerUrls: peers.split(","),
        learner: learner === "true",
      };
    });
