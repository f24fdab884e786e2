import { kubernetesErrors } from "./catalog/kubernetes.ts";
import { moduleErrors } from "./catalog/modules.ts";
import { playbookErrors } from "./catalog/playbook.ts";

/** Every way a run can stop, by area. Codes are public and permanent: retire one, never reuse it. */
export const catalog = { ...playbookErrors, ...moduleErrors, ...kubernetesErrors };

export type ErrorCode = keyof typeof catalog;
export type ErrorDetails<C extends ErrorCode> = Parameters<(typeof catalog)[C]["message"]>;
