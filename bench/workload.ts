/** The work that every peer is given: 20 checks a host, of 16 files (content, owner, mode) and 4 services. */

export interface FileCheck {
  readonly path: string;
  readonly content: string;
  readonly owner: string;
  readonly group: string;
  /** Four octal digits. */
  readonly mode: string;
}

/** A service that runs, and starts at boot. */
export type ServiceCheck = `bench-${number}.service`;

const OWNERS = ["root", "root", "root", "ops"] as const;
const MODES = ["0644", "0600", "0640", "0755"] as const;

/** About 1 KiB each, as configuration files are, and no two the same. */
export const files: readonly FileCheck[] = Array.from({ length: 16 }, (_, index) => {
  const owner = OWNERS[index % 4] ?? "root";
  return {
    path: `/srv/bench-${String(index).padStart(2, "0")}.conf`,
    content: Array.from({ length: 32 }, (_, line) => `option-${index}-${line} = ${line ** 4}\n`)
      .join("")
      .padEnd(1024, "#\n"),
    owner,
    group: owner,
    mode: MODES[(index >> 2) % 4] ?? "0644",
  };
});

export const services: readonly ServiceCheck[] = [0, 1, 2, 3].map(
  (index): ServiceCheck => `bench-${index}.service`,
);

/** How many things each host is asked. */
export const checks: number = files.length + services.length;

/** Makes a host ready to be measured: the units that the services are. None of it is part of the work. */
export const prepareScript = `set -e
for unit in ${services.join(" ")}; do
  printf '[Unit]\\nDescription=%s\\n[Service]\\nExecStart=sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n' \\
    "$unit" >"/etc/systemd/system/$unit"
done
systemctl daemon-reload`;

/** Takes a host back to where nothing of the work is done. */
export const resetScript = `set -e
rm -f /srv/bench-*.conf
systemctl disable --quiet --now ${services.join(" ")}
rm -rf /root/.ansible /tmp/ansible-*`;
