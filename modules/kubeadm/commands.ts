import { type Change, run, type Secret, script, withStdin } from "#engine/index.ts";
import { logFolder, pendingMark } from "./paths.ts";

// The configuration arrives on stdin and goes on through a pipe: sshd's stdin is a socket, which cannot be opened by
// name, and a file would leave the token behind when the host dies. Output goes to a log on the host, so that kubeadm
// lives on when the connection does not.
const KUBEADM = `# kubeadm-run
mark=$1
log=$2
shift 2
umask 077
mkdir -p "\${mark%/*}" "\${log%/*}"
: >"$mark"
cat | timeout 540 kubeadm "$@" --config /dev/stdin >"$log" 2>&1
code=$?
if [ $code -eq 0 ]; then
  rm -f "$mark"
  exit 0
fi
# Without what went well: progress, the kernel's features, warnings.
grep -vE '^\\[[a-z]|CGROUPS_|KERNEL_VERSION|OS.*: |WARNING|^W[0-9]|^$' "$log" | tail -n 12 >&2
case $code in
  124) echo "kubeadm $1 was stopped after 540 s" >&2 ;;
  137) echo "kubeadm $1 was killed" >&2 ;;
esac
echo "the last it did: $(grep '^\\[[a-z]' "$log" | tail -n 1)" >&2
exit $code`;

/** kubeadm init or join with a configuration, noted on the host until it has succeeded. */
export const kubeadmRun = (
  phase: "init" | "join",
  config: string | Secret,
  options: { say: string; flags?: readonly string[] },
): Change =>
  run(
    withStdin(
      script(
        KUBEADM,
        pendingMark,
        `${logFolder}/kubeadm-${phase}.log`,
        phase,
        ...(options.flags ?? []),
      ),
      config,
    ),
    options.say,
    { timeout: "10m" },
  );

const RESET = `# kubeadm-reset
log=$1/kubeadm-reset.log
umask 077
mkdir -p "$1"
timeout 240 kubeadm reset --force --cri-socket "$2" >"$log" 2>&1 || {
  code=$?
  tail -n 20 "$log" >&2
  exit $code
}
rm -rf /etc/cni/net.d/* /var/lib/etcd/member`;

/** Back to a host without Kubernetes; only for what an interrupted run of ours left, or when a person asked for it. */
export const kubeadmReset = (criSocket: string, say: string): Change =>
  run(script(RESET, logFolder, criSocket), say, { timeout: "5m" });
