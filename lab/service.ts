/**
 * A long-lived process that the lab runs on the machine for its hosts (package proxy, image registry, file mirror).
 * It listens on the lab's own address only, survives the command that started it, and is ended by `lab down`.
 */
export interface LabService {
  /** Names its pid and log files, and what `lab status` shows. */
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** Answers 2xx (or 401) as soon as the service is up. */
  readonly readyUrl: string;
}
