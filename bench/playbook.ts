/** The work, as a playbook of ours. */
import { playbook } from "run-playbook";
import * as use from "run-playbook/modules";
import { files, services } from "./workload.ts";

export default playbook("bench", { groups: ["nodes"] }, ({ step, groups: { nodes } }) => {
  for (const { mode, ...file } of files)
    step(file.path, { on: nodes, ensure: use.file({ ...file, mode: Number.parseInt(mode, 8) }) });
  // The others do not watch what they started, so neither does this one.
  for (const name of services)
    step(name, { on: nodes, ensure: use.service({ name, settle: "0s" }) });
});
