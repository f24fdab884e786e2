/** A way back, and a way in. */
import { userInfo } from "node:os";
import type { AnyStep } from "run-playbook";
import * as use from "run-playbook/modules";
import type { Cluster, ClusterPlay } from "../cluster.ts";

/** Declares the phase; what comes back says that there is a snapshot. */
export function snapshot(
  play: ClusterPlay<{ readonly kubeconfig: string }>,
  cluster: Cluster,
  ready: AnyStep,
): AnyStep {
  const { step, phase, control, params } = play;
  const { settings, controlPlane, server } = cluster;
  return phase("access and snapshot", () => {
    const admin = step("administrator's access", {
      on: controlPlane.first,
      after: [ready],
      ensure: use.kubeconfig({ server }),
    });
    const { username } = userInfo();
    step("kubeconfig", {
      on: control,
      as: username,
      ensure: use.file({
        path: params.kubeconfig,
        content: admin.out.content,
        mode: 0o600,
        owner: username,
      }),
    });
    return step("etcd snapshot", {
      on: controlPlane.first,
      after: [ready],
      timeout: "15m",
      ensure: use.etcdSnapshot(settings.snapshots),
    });
  });
}
