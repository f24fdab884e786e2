import { engineErrors } from "./catalog/engine.ts";
import { playbookErrors } from "./catalog/playbook.ts";
import { transportErrors } from "./catalog/transport.ts";

/** Every way a run can stop, by area. Codes are public and permanent: retire one, never reuse it. */
export const catalog = { ...playbookErrors, ...transportErrors, ...engineErrors };

export type ErrorCode = keyof typeof catalog;
export type ErrorDetails<C extends ErrorCode> = Parameters<(typeof catalog)[C]["message"]>;
