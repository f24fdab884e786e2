import { artifactErrors } from "./catalog/artifacts.ts";
import { cliErrors } from "./catalog/cli.ts";
import { engineErrors } from "./catalog/engine.ts";
import { journalErrors } from "./catalog/journal.ts";
import { kubernetesErrors } from "./catalog/kubernetes.ts";
import { labErrors } from "./catalog/lab.ts";
import { labFaultErrors } from "./catalog/lab-faults.ts";
import { lockErrors } from "./catalog/lock.ts";
import { moduleErrors } from "./catalog/modules.ts";
import { planFileErrors } from "./catalog/plan-file.ts";
import { playbookErrors } from "./catalog/playbook.ts";
import { transportErrors } from "./catalog/transport.ts";
import { undoErrors } from "./catalog/undo.ts";
import { windowErrors } from "./catalog/window.ts";

/** Every way a run can stop, by area. Codes are public and permanent: retire one, never reuse it. */
export const catalog = {
  ...artifactErrors,
  ...cliErrors,
  ...engineErrors,
  ...journalErrors,
  ...kubernetesErrors,
  ...labFaultErrors,
  ...labErrors,
  ...lockErrors,
  ...moduleErrors,
  ...planFileErrors,
  ...playbookErrors,
  ...transportErrors,
  ...undoErrors,
  ...windowErrors,
};

export type ErrorCode = keyof typeof catalog;
export type ErrorDetails<C extends ErrorCode> = Parameters<(typeof catalog)[C]["message"]>;
