// Our declarations name types of Node's: whoever imports this sees them without a setting of their own.
/// <reference types="node" preserve="true" />
export {
  type Change,
  download,
  guarded,
  makeDirectory,
  reboot,
  remove,
  run,
  setAttributes,
  upload,
  writeFile,
} from "./dsl/change.ts";
export { type Duration, isDuration, toMs } from "./dsl/duration.ts";
export type { HostSet } from "./dsl/host-set.ts";
export { defineInventory, type HostEntry, type Inventory } from "./dsl/inventory.ts";
export { defineModule, defineProbe, noParams } from "./dsl/module.ts";
export { type Play, type Playbook, playbook } from "./dsl/playbook.ts";
export { combine, type Ref, type Refable, secretFrom } from "./dsl/ref.ts";
export { holdsSecret, isSecret, jsonText, Secret, secret, secretText } from "./dsl/secret.ts";
export { type AnyStep, each, type PlayHost, type StepHandle } from "./dsl/step.ts";
export type { TimeOfDay, Weekday, WindowOptions } from "./dsl/window.ts";
export { isPlaybookError, PlaybookError } from "./errors/error.ts";
export { type Command, inlineScript, script, sh, withStdin } from "./host/command.ts";
export type { FileStat, RunResult } from "./host/connection.ts";
export type { Facts, Host, Question } from "./host/host.ts";
