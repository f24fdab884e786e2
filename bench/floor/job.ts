import { createHash } from "node:crypto";
import { files, services } from "../workload.ts";

/** What the floor is told, as JSON. */
export interface FloorJob {
  readonly hosts: readonly {
    readonly address: string;
    readonly port: number;
    /** The host key's blob, base64. */
    readonly key: string;
  }[];
  readonly identityFile: string;
  /** Not given: connect, and leave again. */
  readonly check?: string;
  /** What `check` prints where all is as it should be. */
  readonly wanted: string;
  readonly apply: string;
}

const paths = files.map(({ path }) => path).join(" ");

// Three programs for all of it, however many things are asked: nothing could ask for less.
const check = `stat -c '%n %U %G %a' ${paths}
sha256sum ${paths}
systemctl show --property=Id,ActiveState,UnitFileState ${services.join(" ")}
`;

const wanted = [
  ...files.map(({ path, owner, group, mode }) => `${path} ${owner} ${group} ${Number(mode)}\n`),
  ...files.map(({ path, content }) => `${sha256(content)}  ${path}\n`),
  `${services.map((unit) => `Id=${unit}\nActiveState=active\nUnitFileState=enabled\n`).join("\n")}`,
].join("");

const apply = `set -e
${files
  .map(
    ({ path, content, owner, group, mode }) => `base64 -d >${path} <<end
${Buffer.from(content).toString("base64")}
end
chown ${owner}:${group} ${path}
chmod ${mode} ${path}`,
  )
  .join("\n")}
systemctl enable --quiet --now ${services.join(" ")}
`;

/** The work as scripts of the floor. */
export const floorWork = { check, wanted, apply } as const;

function sha256(content: string): string {
  return createHash("sha256").update(content).digest("hex");
}
